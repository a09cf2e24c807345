#!/usr/bin/env node
// `node scripts/build-console.mjs` builds the web console once and prints the folder it is in. Later calls find it there: the folder is named by
// the content that it was built from. Run by `npm run set-up`, and by a server at the first request for the console.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const isCompressible = (name) => /\.(js|css|html|svg|json|webmanifest|ttf)$/.test(name);
const largeBytes = 1_000_000;

/** Builds unless it was built, and answers the folder: `index.html`, `assets/`, and beside each text file its `.br` and `.gz`. */
export async function buildConsole(root, say = () => {}) {
  const builds = join(root, "dist/console");
  const folder = join(builds, await contentHash(root));
  if (existsSync(folder)) return folder;
  const start = performance.now();
  say("Building the console …");
  const staging = `${folder}.${process.pid}`;
  try {
    await bundle(root, staging);
    await compressAll(staging);
    await rename(staging, folder).catch((error) => {
      // Somebody else built the same meanwhile.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  await removeOthers(builds, folder);
  say(`Built the console in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
  return folder;
}

async function bundle(root, outDir) {
  // Whoever starts this may be a test: React would come in its form for development, which is larger and slower, and would stay in the folder.
  process.env.NODE_ENV = "production";
  const { build } = await import("vite").catch(() => {
    throw new Error("The console cannot be built: vite is not in node_modules. Run `npm run set-up`.");
  });
  const { default: react } = await import("@vitejs/plugin-react");
  await build({
    root: join(root, "src/console"),
    configFile: false,
    envFile: false,
    logLevel: "error",
    plugins: [react(), oneLocale],
    worker: { format: "es" },
    build: {
      outDir,
      emptyOutDir: true,
      target: "es2022",
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      chunkSizeWarningLimit: 1e6,
    },
  });
}

/** Zod's own texts in fifty languages are a fifth of the first load; the console speaks one. */
const oneLocale = {
  name: "one-locale",
  enforce: "pre",
  load: (id) => (/\/zod\/v4\/locales\/index\.js$/.test(id) ? 'export { default as en } from "./en.js";' : undefined),
};

async function compressAll(folder) {
  const names = (await readdir(folder, { recursive: true })).filter(isCompressible);
  await Promise.all(names.map((name) => compress(join(folder, name))));
}

async function compress(path) {
  const bytes = await readFile(path);
  if (bytes.byteLength < 1024) return;
  // Quality 11 takes half a minute on the editor's parts and saves little.
  const quality = bytes.byteLength > largeBytes ? 5 : 9;
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength };
  const [br, gz] = await Promise.all([promisify(brotliCompress)(bytes, { params }), promisify(gzip)(bytes, { level: 7 })]);
  await Promise.all([writeFile(`${path}.br`, br), writeFile(`${path}.gz`, gz)]);
}

/** Of everything that ends up in the bundle. */
async function contentHash(root) {
  const hash = createHash("sha256");
  for (const path of [...(await sources(root, "src/console")), ...(await sources(root, "src/contract"))]) {
    hash.update(`${path}\0`).update(await readFile(join(root, path)));
  }
  for (const path of ["package-lock.json", "scripts/build-console.mjs"]) hash.update(await readFile(join(root, path)));
  return hash.digest("hex").slice(0, 16);
}

async function sources(root, folder) {
  const names = await readdir(join(root, folder), { recursive: true });
  const paths = names.filter((name) => !name.includes(".test.")).map((name) => join(folder, name));
  const files = await Promise.all(paths.map(async (path) => ((await stat(join(root, path))).isFile() ? path : undefined)));
  return files.filter((path) => path !== undefined).sort();
}

/** Only what is old: another process may be building, and a running server may still serve what it opened. */
async function removeOthers(builds, folder) {
  await mkdir(builds, { recursive: true });
  const dayAgo = Date.now() - 24 * 3600_000;
  for (const name of await readdir(builds)) {
    const path = join(builds, name);
    if (path === folder) continue;
    if ((await stat(path)).mtimeMs < dayAgo) await rm(path, { recursive: true, force: true });
  }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = resolve(fileURLToPath(import.meta.url), "../..");
  try {
    console.log(await buildConsole(root, (line) => console.error(line)));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
