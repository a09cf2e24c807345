import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { undefinedOn } from "../lib/index.ts";
import { describeDiskError } from "./disk-error.ts";
import { fileMode } from "./file-writer.ts";
import { contentPath, packagePath, recordName, type StoreLayout, siblingPath, siblingTarget } from "./layout.ts";
import { listEntries } from "./list-entries.ts";
import { readPackageRecord, type TreeRecord } from "./record.ts";
import type { Throttle } from "./throttle.ts";
import type { Damage } from "./verify.ts";

interface Checked {
  problems: Damage[];
  files: number;
  bytes: number;
}

/** One package against its own record, and the record against what the tree expects. */
export async function checkPackage(
  layout: StoreLayout,
  expected: TreeRecord["packages"][number],
  throttle?: Throttle,
): Promise<Checked> {
  const { key, name, version, integrity } = expected;
  const directory = packagePath(layout, key);
  const problems: Damage[] = [];
  const problem = (kind: Damage["kind"], path: string) =>
    problems.push({ kind, subject: `${name}@${version}`, path: `packages/${key}/${path}` });
  const nothing = { problems, files: 0, bytes: 0 };
  const entries = await undefinedOn(["ENOENT", "ENOTDIR"], listEntries(directory));
  if (entries === undefined) {
    problems.push({ kind: "missing", subject: `${name}@${version}`, path: `packages/${key}` });
    return nothing;
  }
  const record = await readPackageRecord(layout, key);
  if (record === undefined || record.integrity !== integrity || record.name !== name) {
    problem("record", recordName);
    return nothing;
  }
  entries.delete(recordName);
  const take = (path: string) => {
    const entry = entries.get(path);
    entries.delete(path);
    return entry;
  };
  let bytes = 0;
  for (const file of record.files) {
    const path = `${contentPath(name)}/${file.path}`;
    const entry = take(path);
    bytes += file.sizeBytes;
    if (entry === undefined) problem("missing", path);
    else if (entry.kind !== "file" || !(await isUnchanged(join(directory, path), file, throttle))) problem("changed", path);
  }
  for (const link of record.links) {
    const path = siblingPath(name, link.alias);
    const entry = take(path);
    if (entry === undefined) problem("missing", path);
    else if (entry.target !== siblingTarget(path, link.key, link.name)) problem("changed", path);
  }
  for (const path of entries.keys()) problem("extra", path);
  return { problems, files: record.files.length, bytes };
}

async function isUnchanged(
  path: string,
  expected: { sizeBytes: number; sha256: string; executable?: true | undefined },
  throttle: Throttle | undefined,
): Promise<boolean> {
  const handle = await open(path, "r");
  try {
    const { size, mode } = await handle.stat();
    if (size !== expected.sizeBytes || (mode & 0o7777) !== fileMode(expected.executable ?? false)) return false;
    return (await hashOf(handle, throttle)) === expected.sha256;
  } catch (error) {
    // A sector that cannot be read is damage; a disk that cannot be read at all says so elsewhere.
    if ((error as NodeJS.ErrnoException).code === "EIO") return false;
    throw describeDiskError(error, path);
  } finally {
    await handle.close();
  }
}

async function hashOf(handle: FileHandle, throttle: Throttle | undefined): Promise<string> {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(256 * 1024);
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return hash.digest("hex");
    hash.update(buffer.subarray(0, bytesRead));
    await throttle?.(bytesRead);
  }
}
