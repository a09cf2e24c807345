// `npm run build-embed`: dist/embed, what Node and TypeScript find as `larder/embed`. Packages stay imports.

import { spawnSync } from "node:child_process";
import { readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");
const outdir = join(root, "dist/embed");
const staging = `${outdir}.${process.pid}`;
const entry = join(root, "src/embed/index.ts");
try {
  await Bun.build({
    entrypoints: [entry, join(root, "src/host/unpack-thread.ts")],
    outdir: staging,
    target: "node",
    format: "esm",
    packages: "external",
    // Side by side, under the names that `unpack-pool.ts` looks for.
    naming: "[name].js",
    sourcemap: "linked",
  });
  declareTypes(join(staging, "types"), await compilerOptions());
  await rm(outdir, { recursive: true, force: true });
  await rename(staging, outdir);
  console.error("Built dist/embed");
} finally {
  await rm(staging, { recursive: true, force: true });
}

async function compilerOptions(): Promise<string[]> {
  const { compilerOptions } = JSON.parse(await readFile(join(root, "tsconfig.json"), "utf8"));
  const own = { noEmit: false, declaration: true, emitDeclarationOnly: true };
  return Object.entries({ ...compilerOptions, ...own }).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

function declareTypes(outDir: string, options: string[]): void {
  const args = ["--ignoreConfig", ...options, "--rootDir", join(root, "src"), "--outDir", outDir, entry];
  const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`tsc: ${stdout}`);
}
