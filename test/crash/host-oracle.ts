import { createHash } from "node:crypto";
import { type Dirent, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";

/** A directory's content: relative path → what is there, as text. Written without Larder's own code, which it judges. */
export type Content = Map<string, string>;
/** `packages/<key>` and `trees/<hash>` → content. */
export type Directories = Map<string, Content>;

/** Every directory that claims to be complete. */
export function readDirectories(store: string): Directories {
  const found: Directories = new Map();
  for (const folder of ["packages", "trees"])
    for (const name of readdirSync(join(store, folder))) found.set(`${folder}/${name}`, readContent(join(store, folder, name)));
  return found;
}

function readContent(directory: string): Content {
  const content: Content = new Map();
  const visit = (folder: string) => {
    for (const entry of readdirSync(join(directory, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else content.set(path, describe(join(directory, path), entry));
    }
  };
  visit("");
  return content;
}

function describe(path: string, entry: Dirent): string {
  if (entry.isSymbolicLink()) return `link ${readlinkSync(path)}`;
  if (!entry.isFile()) return "neither file nor link";
  const bytes = readFileSync(path);
  // A record is whatever this version writes, as long as it is whole.
  if (entry.name === "larder.json") return `record ${isJson(bytes.toString()) ? "whole" : "broken"}`;
  return `${(statSync(path).mode & 0o7777).toString(8)} ${createHash("sha256").update(bytes).digest("hex")}`;
}

export interface Expectation {
  /** Of all that could be there, from a store that nothing happened to. */
  reference: Directories;
  /** What the store held before; a repair may find its damage as it was, and take it out of sight before the whole one is there. */
  damaged?: Directories;
  /** Lockfile hashes that `current` may serve. */
  currents: readonly string[];
  /** Lockfile hashes of trees that somebody holds. */
  leased: readonly string[];
  lowestAccepted: number;
  secret: string;
}

/** I1, I2, I3, I6, I8 and I9 of what a killed or failed process left; answers what does not hold. */
export function violationsIn(
  store: string,
  { reference, damaged = new Map(), currents, leased, lowestAccepted, secret }: Expectation,
): string[] {
  const violations: string[] = [];
  const there = readDirectories(store);
  for (const [name, content] of there) {
    if (same(content, reference.get(name)) || same(content, damaged.get(name))) continue;
    violations.push(`I2 I3 ${name} is not what was published`);
  }
  const current = /^trees\/(.+)$/.exec(linkText(join(store, "current")))?.[1] ?? "";
  if (!currents.includes(current)) violations.push(`I1 current is ${current || "nothing"}`);
  for (const tree of [current, ...leased]) {
    for (const needed of neededBy(tree, reference))
      if (!there.has(needed) && !damaged.has(needed)) violations.push(`I1 I8 ${needed} of tree ${tree} is gone`);
  }
  const accepted = JSON.parse(readFileSync(join(store, "state/accepted.json"), "utf8")) as { generation: number };
  if (accepted.generation < lowestAccepted) violations.push(`I6 accepted ${accepted.generation} after ${lowestAccepted}`);
  for (const file of readdirSync(join(store, "state"), { withFileTypes: true }))
    if (file.isFile() && readFileSync(join(store, "state", file.name), "utf8").includes(secret))
      violations.push(`I9 the token is in state/${file.name}`);
  return violations;
}

/** A tree and, by following links, every package that a script can reach from it. */
export function neededBy(tree: string, reference: Directories): Set<string> {
  const needed = new Set([`trees/${tree}`]);
  for (const name of needed) {
    for (const target of reference.get(name)?.values() ?? []) {
      const key = /^link .*?([0-9a-f]{64})\/node_modules\//.exec(target)?.[1];
      if (key) needed.add(`packages/${key}`);
    }
  }
  return needed;
}

const same = (left: Content, right: Content | undefined): boolean =>
  right !== undefined && left.size === right.size && [...left].every(([path, what]) => right.get(path) === what);

function linkText(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}
