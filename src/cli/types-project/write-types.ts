import { createHash } from "node:crypto";
import { lstat, mkdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { LarderError } from "../../contract/index.ts";
import { errnoOf, mapConcurrent, undefinedOn, writeFileAtomic } from "../../lib/index.ts";

/** Names the files below the directory that are ours, each with the hashes that it may have. Whatever else is there is somebody else's. */
const markerSchema = z.object({
  format: z.literal(1),
  environment: z.string(),
  generation: z.number(),
  files: z.record(z.string(), z.array(z.string())),
});
type Marker = z.infer<typeof markerSchema>;

export const markerPath = "node_modules/.larder-types.json";

export interface Written {
  written: number;
  unchanged: number;
  removed: number;
}

interface Plan {
  files: ReadonlyMap<string, string>;
  environment: string;
  generation: number;
}

/**
 * Makes `directory` hold exactly these files of ours. Throws `E_CONFLICT` before anything is changed when a place is taken by something that is not ours, or that
 * was changed since. What is killed in between is finished by the next call: the marker names old and new files before either is touched.
 */
export async function writeTypes(directory: string, { files, environment, generation }: Plan): Promise<Written> {
  for (const path of files.keys()) assertWithin(path);
  const before = await readMarker(directory);
  const wanted = new Map([...files].map(([path, text]) => [path, { text, hash: hashOf(text) }]));
  const stale = Object.keys(before.files).filter((path) => !wanted.has(path));
  const states = new Map<string, "absent" | "same" | "ours">();
  const conflicts: string[] = [];
  await mapConcurrent([...wanted.keys(), ...stale], { limit: 32 }, async (path) => {
    const found = await hashAt(directory, path);
    const known = before.files[path] ?? [];
    if (found === undefined) states.set(path, "absent");
    else if (found === wanted.get(path)?.hash) states.set(path, "same");
    else if (known.includes(found)) states.set(path, "ours");
    else if (wanted.has(path)) conflicts.push(path);
  });
  if (conflicts.length > 0) throw foreign(directory, conflicts.sort());
  const names = { format: 1 as const, environment, generation };
  const intent = { ...before.files };
  for (const [path, { hash }] of wanted) intent[path] = [...new Set([...(intent[path] ?? []), hash])];
  await mkdir(join(directory, "node_modules"), { recursive: true });
  await writeMarker(directory, { ...names, files: intent });
  const changed = [...wanted].filter(([path]) => states.get(path) !== "same");
  await mapConcurrent(changed, { limit: 32 }, async ([path, { text }]) => {
    const target = join(directory, path);
    await mkdir(dirname(target), { recursive: true });
    // Not synced: thousands of files that can be had again. By rename, so that what is there is one of those that the marker names.
    const draft = `${target}.larder-tmp`;
    await writeFile(draft, text);
    await rename(draft, target);
  });
  const removed = stale.filter((path) => states.get(path) === "ours");
  for (const path of removed) await removeFile(directory, path);
  await writeMarker(directory, { ...names, files: Object.fromEntries([...wanted].map(([path, { hash }]) => [path, [hash]])) });
  return { written: changed.length, unchanged: wanted.size - changed.length, removed: removed.length };
}

async function readMarker(directory: string): Promise<Marker> {
  const text = await undefinedOn(["ENOENT", "ENOTDIR"], readFile(join(directory, markerPath), "utf8"));
  if (text === undefined) return { format: 1, environment: "", generation: 0, files: {} };
  try {
    const marker = markerSchema.parse(JSON.parse(text));
    for (const path of Object.keys(marker.files)) assertWithin(path);
    return marker;
  } catch (cause) {
    throw new LarderError("E_CONFLICT", `${join(directory, markerPath)} does not say which files are Larder's.`, {
      hint: "Remove it together with the node_modules that it is in, and try again.",
      cause,
    });
  }
}

const writeMarker = async (directory: string, marker: Marker): Promise<void> =>
  await writeFileAtomic(join(directory, markerPath), JSON.stringify(marker));

/** `undefined`: nothing is there. A link, or a file where a folder should be, is nothing of ours: "" then. */
async function hashAt(directory: string, path: string): Promise<string | undefined> {
  const parts = path.split("/");
  for (let depth = 1; depth <= parts.length; depth++) {
    const at = join(directory, ...parts.slice(0, depth));
    const info = await undefinedOn(["ENOENT", "ENOTDIR"], lstat(at));
    if (info === undefined) return undefined;
    const isLast = depth === parts.length;
    if (isLast ? !info.isFile() : !info.isDirectory()) return "";
    if (isLast) return hashOf(await readFile(at));
  }
  return undefined;
}

/** With the folders that are empty then. */
async function removeFile(directory: string, path: string): Promise<void> {
  await rm(join(directory, path), { force: true });
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
    try {
      await rmdir(join(directory, folder));
    } catch (error) {
      if (["ENOTEMPTY", "EEXIST", "ENOENT"].includes(errnoOf(error) ?? "")) return;
      throw error;
    }
  }
}

/** Whatever the server or a marker says: nothing outside `node_modules`, but our own tsconfig. */
function assertWithin(path: string): void {
  const parts = path.split("/");
  const isPlain = parts.every((part) => part !== "" && part !== "." && part !== ".." && !/[\\\0:]/.test(part));
  if ((parts[0] === "node_modules" && parts.length > 1 && isPlain) || path === "tsconfig.json") return;
  throw new LarderError("E_INTEGRITY", `A file of types would go to ${JSON.stringify(path.slice(0, 200))}.`, {
    hint: "Nothing was written. Check that the server is yours.",
  });
}

const hashOf = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex");

const foreign = (directory: string, paths: string[]): LarderError =>
  new LarderError(
    "E_CONFLICT",
    `${join(directory, paths[0] ?? "")} is not Larder's${paths.length > 1 ? `, nor are ${paths.length - 1} others` : ""}.`,
    {
      hint: "Nothing was changed. Choose another directory, or remove the node_modules that is there.",
      details: { paths: paths.slice(0, 20) },
    },
  );
