import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";

export interface StoreEntry {
  kind: "file" | "link" | "other";
  /** A link's text. */
  target?: string;
}

/** Everything below `directory` that is not a folder, by relative path; folders only count through what is in them. Links are not followed. */
export async function listEntries(directory: string): Promise<Map<string, StoreEntry>> {
  const entries = new Map<string, StoreEntry>();
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(join(directory, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) entries.set(path, { kind: "file" });
      else if (entry.isSymbolicLink()) entries.set(path, { kind: "link", target: await readlink(join(directory, path)) });
      else entries.set(path, { kind: "other" });
    }
  }
  return entries;
}
