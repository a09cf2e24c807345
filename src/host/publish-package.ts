import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LarderError } from "../contract/bare.ts";
import { errnoOf, failpointNow } from "../lib/bare.ts";
import type { PackageJob } from "./package-job.ts";
import type { RecordedFile } from "./record.ts";

// Synchronous calls throughout: a small file costs half of what it does through promises, and most packages are a few dozen small files.

/** Makes the folder for the package's files, empty, and answers its path. */
export function beginPackage({ directory, content }: PackageJob): string {
  mkdirSync(directory, { mode: 0o755 });
  const root = join(directory, content);
  mkdirSync(root, { recursive: true, mode: 0o755 });
  return root;
}

/** Adds links and record to the files, and renames the whole to where it belongs. When that is there already, somebody has made the same, and this one goes. */
export function publishPackage(job: PackageJob, files: readonly RecordedFile[]): void {
  const { directory, target, replaced, recordName, record } = job;
  failpointNow("host:after-unpack");
  const links = makeLinks(job, files);
  writeFileSync(join(directory, recordName), JSON.stringify({ ...record, links, files }), { mode: 0o444 });
  failpointNow("host:before-package-rename");
  if (replaced !== undefined) setAside(target, replaced);
  try {
    renameSync(directory, target);
  } catch (error) {
    if (!["EEXIST", "ENOTEMPTY"].includes(errnoOf(error) ?? "")) throw error;
    abandonPackage(job);
  }
  failpointNow("host:after-package-rename");
}

function setAside(path: string, place: string): void {
  try {
    renameSync(path, place);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

export const abandonPackage = ({ directory }: PackageJob): void => rmSync(directory, { recursive: true, force: true });

/** Answers the links made: what the tarball brings itself, in a bundled `node_modules`, stays as it is. */
function makeLinks({ directory, links }: PackageJob, files: readonly RecordedFile[]) {
  const folders = new Set<string>();
  const made = links.filter(({ unless }) => unless === undefined || !files.some(({ path }) => path.startsWith(unless)));
  for (const { place, text } of made) {
    const path = join(directory, place);
    const folder = dirname(path);
    if (!folders.has(folder)) mkdirSync(folder, { recursive: true, mode: 0o755 });
    folders.add(folder);
    symlinkSync(text, path);
  }
  return made.map(({ alias, key, name }) => ({ alias, key, name }));
}

/** The manifest says what is expected; a tarball of another package must not pass for it. */
export function assertIdentity(expected: { name: string; version: string }, found: { name: string; version: string }): void {
  // Registries ignore build metadata and a leading "v", and so do the tarballs of some packages.
  const plain = (version: string) =>
    version
      .trim()
      .replace(/^[v=]+/, "")
      .replace(/\+.*$/, "");
  if (found.name === expected.name && plain(found.version) === plain(expected.version)) return;
  const [label, other] = [`${expected.name}@${expected.version}`, `${found.name}@${found.version}`];
  throw new LarderError("E_TARBALL_IDENTITY", `The tarball of ${label} says that it is ${other}.`, {
    hint: "Do not use this package until its author or registry explains the difference.",
    details: { expected: label, found: other },
  });
}
