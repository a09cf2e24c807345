// `npm run check`: format and lint (Biome), what nothing uses (knip), types (tsc). Silent about what is in order.

import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const colour = process.stdout.isTTY ? "force" : "off";

const checks = [
  ["biome", ["ci", "--error-on-warnings", `--colors=${colour}`, "."], "npx biome check --write YOUR-FILES mends most of it"],
  ["knip", ["--no-progress", "--treat-config-hints-as-errors"], "remove what nothing uses, or import it by its door"],
  ["knip", ["--no-progress", "--production"], "remove what only tests use, or move it to test/"],
  ["tsc", ["-p", ".", "--noEmit"], "see the type errors above"],
];

const results = await Promise.all(checks.map(run));
const failed = results.filter((result) => result.code !== 0);
for (const { name, output, hint } of failed) console.log(`${output.trimEnd()}\n✗ ${name} (${hint})\n`);
if (failed.length > 0) process.exitCode = 1;
else console.log(`✓ ${results.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(", ")}`);

function run([tool, args, hint]) {
  const start = performance.now();
  const child = spawn(join(root, "node_modules/.bin", tool), args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text) => {
      output += text;
    });
  }
  const name = [tool, ...args.filter((arg) => arg === "--production")].join(" ");
  return new Promise((resolve) => {
    const end = (code) => resolve({ name, hint, code, output, seconds: (performance.now() - start) / 1000 });
    child.once("error", (error) => {
      output += error.message;
      end(1);
    });
    child.once("close", end);
  });
}
