import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { writeFileAtomic } from "../lib/index.ts";

let snapshot: Promise<Blob> | undefined;

/** A fresh cluster's files: making one takes seconds, loading them a quarter of one. Kept for the process, and beside the installed packages if there are any. */
export function memorySnapshot(): Promise<Blob> {
  snapshot ??= loadSnapshot();
  return snapshot;
}

async function loadSnapshot(): Promise<Blob> {
  const modules = join(import.meta.dirname, "../../node_modules");
  if (!existsSync(modules)) return await makeSnapshot();
  const folder = join(modules, ".cache/larder");
  const { version } = JSON.parse(await readFile(join(modules, "@electric-sql/pglite/package.json"), "utf8")) as {
    version: string;
  };
  const path = join(folder, `pglite-${version}.tar`);
  if (existsSync(path)) return new Blob([await readFile(path)]);
  const made = await makeSnapshot();
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(path, new Uint8Array(await made.arrayBuffer()));
  return made;
}

async function makeSnapshot(): Promise<Blob> {
  const client = await PGlite.create("memory://");
  const dump = await client.dumpDataDir("none");
  await client.close();
  return dump;
}
