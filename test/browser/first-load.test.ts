import { expect, test } from "bun:test";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

const root = resolve(import.meta.dir, "../..");

test("the first page loads less than 300 kB, has nothing inline, and the editor comes apart from it", async () => {
  const build = Bun.spawnSync([process.execPath, join(root, "scripts/build-console.mjs")]);
  const folder = build.stdout.toString().trim();
  expect([build.exitCode, build.stderr.toString().replace(/^(Building|Built) .*\n/gm, "")]).toEqual([0, ""]);
  const page = await readFile(join(folder, "index.html"), "utf8");
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:\/\//);
  const named = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1] as string);
  expect(named.length).toBeGreaterThan(1);
  const sizes = await Promise.all(named.map(async (path) => gzipSync(await readFile(join(folder, path))).byteLength));
  const total = sizes.reduce((sum, size) => sum + size, gzipSync(page).byteLength);
  console.error(`First load: ${(total / 1000).toFixed(0)} kB gzipped in ${named.length} files`);
  expect(total).toBeLessThan(300_000);
  const all = await readdir(join(folder, "assets"));
  expect(all.some((name) => name.startsWith("ts.worker") && name.endsWith(".js.br"))).toBe(true);
}, 120_000);
