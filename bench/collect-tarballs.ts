import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { realPackages } from "../test/e2e/real-packages.ts";
import { openRegistryMirror } from "../test/harness/registry-mirror.ts";
import { openScratch } from "./report.ts";
import { openStage } from "./stage.ts";

/** The main job's tarballs, as files named by their hash, by way of a real install. */
export async function collectTarballs(directory: string): Promise<{ files: number; bytes: number }> {
  mkdirSync(directory);
  await using scratch = await openScratch("tarballs");
  await using mirror = await openRegistryMirror();
  await using stage = await openStage(scratch.join("control-plane"), mirror.url);
  await stage.allow(realPackages);
  const { blobs: files, bytes } = await stage.install();
  const store = scratch.join("control-plane/control/blobs");
  for (const entry of readdirSync(store, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) writeFileSync(join(directory, entry.name), readFileSync(join(entry.parentPath, entry.name)));
  }
  return { files, bytes };
}
