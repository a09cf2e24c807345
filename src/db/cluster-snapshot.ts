import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { writeFileAtomic } from "../lib/index.ts";

const modules = join(import.meta.dirname, "../../node_modules");
let snapshot: Promise<Blob> | undefined;

/** A fresh cluster's files: making one takes seconds, loading them a fraction of one. Kept for the process, and beside the installed packages if there are any. */
export function clusterSnapshot(): Promise<Blob> {
  snapshot ??= cachedSnapshot().then((cached) => cached ?? makeSnapshot());
  return snapshot;
}

/** `undefined` when nobody made one yet. */
export async function cachedSnapshot(): Promise<Blob | undefined> {
  const path = await cachePath();
  return path !== undefined && existsSync(path) ? new Blob([await readFile(path)]) : undefined;
}

async function makeSnapshot(): Promise<Blob> {
  const client = await PGlite.create("memory://");
  const dump = await client.dumpDataDir("none");
  await client.close();
  const path = await cachePath();
  if (path !== undefined) {
    await mkdir(join(path, ".."), { recursive: true });
    await writeFileAtomic(path, new Uint8Array(await dump.arrayBuffer()));
  }
  return dump;
}

/** Named for the version: another PGlite may lay its files out otherwise. */
async function cachePath(): Promise<string | undefined> {
  const manifest = join(modules, "@electric-sql/pglite/package.json");
  if (!existsSync(manifest)) return undefined;
  const { version } = JSON.parse(await readFile(manifest, "utf8")) as { version: string };
  return join(modules, ".cache/larder", `pglite-${version}.tar`);
}
