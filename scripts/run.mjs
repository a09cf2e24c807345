#!/usr/bin/env node
// `npm run demo`, `npm test`, `npm run check` and `npm run bench` come here: plain Node and no dependency, so that a fresh clone needs nothing else.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildConsole } from "./build-console.mjs";
import { passThrough } from "./pass-through.mjs";
import { setUp } from "./set-up.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bun = join(root, "node_modules/.bin/bun");

const commands = {
  demo: (args) => [join(root, "bin/larder"), ["demo", ...args]],
  test: (args) => [bun, [join(root, "scripts/test.ts"), ...args]],
  check: (args) => [process.execPath, [join(root, "scripts/check.mjs"), ...args]],
  // `npm run bench -- NAME …` is `bench/NAME.ts`; without a name, the main job.
  bench: ([name = "", ...args]) =>
    existsSync(join(root, `bench/${name}.ts`))
      ? [bun, [join(root, `bench/${name}.ts`), ...args]]
      : [bun, [join(root, "bench/main-job.ts"), ...(name === "" ? [] : [name]), ...args]],
  "build-embed": (args) => [bun, [join(root, "scripts/build-embed.ts"), ...args]],
  "set-up": () => undefined,
};

const [name = "", ...args] = process.argv.slice(2);
if (!Object.hasOwn(commands, name)) {
  console.error(`Usage: node scripts/run.mjs ${Object.keys(commands).join("|")} [arguments]`);
  process.exit(2);
}
try {
  await setUp(root);
  if (name === "set-up" || (name === "demo" && !args.includes("--exit"))) await buildConsole(root, console.error);
  const command = commands[name](args);
  // The demo works in the caller's directory, as the CLI does.
  if (command) await passThrough(...command, { cwd: name === "demo" ? process.cwd() : root });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
