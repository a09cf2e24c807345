import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readTarball } from "../archive/index.ts";
import { LarderError } from "../contract/index.ts";
import { errnoOf, failpoint } from "../lib/index.ts";
import { createFileWriter } from "./file-writer.ts";
import { contentPath, type PackageKey, packagePath, recordName, type StoreLayout, siblingPath, siblingTarget } from "./layout.ts";
import type { PlannedPackage } from "./plan-tree.ts";
import { currentBootId, formatPackageRecord, type RecordedFile, readPackageRecord } from "./record.ts";
import type { FileSharer } from "./share-files.ts";
import { publishDirectory } from "./staging.ts";

const labelOf = ({ name, version }: PlannedPackage): string => `${name}@${version}`;

/**
 * `packages/<key>` from its tarball: bytes against the manifest's integrity (`E_INTEGRITY`), the name and version inside against the node's
 * (`E_TARBALL_IDENTITY`), the archive's rules. `replace`: the one that is there is damaged. Answers how many packed bytes were read.
 */
export async function buildPackage(
  layout: StoreLayout,
  planned: PlannedPackage,
  { content, signal, replace = false }: { content: AsyncIterable<Uint8Array>; signal: AbortSignal; replace?: boolean },
): Promise<number> {
  let packedBytes = 0;
  await publishPackage(layout, { planned, replace }, async (root) => {
    const writer = createFileWriter(root);
    try {
      const summary = await readTarball(content, writer, { label: labelOf(planned), expected: planned.integrity, signal });
      assertIdentity(planned, summary.packageJson);
      packedBytes = summary.compressedBytes;
    } finally {
      writer.close();
    }
    return writer.files;
  });
  return packedBytes;
}

/** `packages/<key>` from another package of the same tarball. False: the other one is damaged, and cannot be used. */
export async function clonePackage(
  layout: StoreLayout,
  planned: PlannedPackage,
  { donor, sharer, replace = false }: { donor: PackageKey; sharer: FileSharer; replace?: boolean },
): Promise<boolean> {
  const record = await readPackageRecord(layout, donor);
  if (record?.integrity !== planned.integrity) return false;
  assertIdentity(planned, record);
  const from = join(packagePath(layout, donor), contentPath(record.name));
  try {
    await publishPackage(layout, { planned, replace }, async (root) => {
      sharer.share(from, root, record.files);
      return record.files;
    });
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** The manifest says what is expected; a tarball of another package must not pass for it. */
function assertIdentity(planned: PlannedPackage, found: { name: string; version: string }): void {
  // Registries ignore build metadata and a leading "v", and so do the tarballs of some packages.
  const plain = (version: string) =>
    version
      .trim()
      .replace(/^[v=]+/, "")
      .replace(/\+.*$/, "");
  if (found.name === planned.name && plain(found.version) === plain(planned.version)) return;
  throw new LarderError(
    "E_TARBALL_IDENTITY",
    `The tarball of ${labelOf(planned)} says that it is ${found.name}@${found.version}.`,
    {
      hint: "Do not use this package until its author or registry explains the difference.",
      details: { expected: labelOf(planned), found: `${found.name}@${found.version}` },
    },
  );
}

async function publishPackage(
  layout: StoreLayout,
  { planned, replace }: { planned: PlannedPackage; replace: boolean },
  fillContent: (root: string) => Promise<RecordedFile[]>,
): Promise<void> {
  await publishDirectory(layout, { target: packagePath(layout, planned.key), replace }, async (directory) => {
    const root = join(directory, contentPath(planned.name));
    await mkdir(root, { recursive: true, mode: 0o755 });
    const files = await fillContent(root);
    await failpoint("host:after-unpack");
    const links = await linkDependencies(directory, planned, files);
    const { name, version, integrity } = planned;
    const record = formatPackageRecord({ name, version, integrity, bootId: await currentBootId(), links, files });
    await writeFile(join(directory, recordName), record, { mode: 0o444 });
    await failpoint("host:before-package-rename");
  });
  await failpoint("host:after-package-rename");
}

/** Answers the links made: what the tarball brings itself, in a bundled `node_modules`, stays as it is. */
async function linkDependencies(
  directory: string,
  planned: PlannedPackage,
  files: RecordedFile[],
): Promise<PlannedPackage["links"]> {
  const made: PlannedPackage["links"] = [];
  for (const link of planned.links) {
    if (link.alias === planned.name && files.some((file) => file.path.startsWith(`${contentPath(link.alias)}/`))) continue;
    const place = siblingPath(planned.name, link.alias);
    await mkdir(dirname(join(directory, place)), { recursive: true, mode: 0o755 });
    await symlink(siblingTarget(place, link.key, link.name), join(directory, place));
    made.push(link);
  }
  return made;
}
