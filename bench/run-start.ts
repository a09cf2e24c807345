// How long a script takes to begin: from the call, or the start of the process, to its first line on standard output. In turn, A B C, so that a noisy
// moment meets all. Asserts nothing. `bun bench/run-start.ts [--rounds N] [--json]`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import { createRunner } from "../src/runner/index.ts";
import { generation } from "../test/harness/runner-packages.ts";
import { openTestStore } from "../test/harness/runner-stage.ts";
import { formatSummary, summarise } from "./statistics.ts";

const options = process.argv.slice(2);
const rounds = Number(options[options.indexOf("--rounds") + 1] ?? 0) || 31;
const script = `console.log("first line");\n`;
const larder = join(import.meta.dir, "../bin/larder");
const node = Bun.which("node", {
  PATH: (process.env.PATH ?? "")
    .split(":")
    .filter((folder) => !folder.includes("bun-node"))
    .join(":"),
});

await using stage = await openTestStore();
await stage.serve(generation, 1);
await using warm = createRunner(stage.store, { keepReady: true });
await using cold = createRunner(stage.store);
await using marked = createRunner(stage.store, { holding: "marks" });
const directory = await mkdtemp(join(tmpdir(), "larder-bench-"));
const file = join(directory, "script.ts");
await writeFile(file, script);
await writeFile(join(directory, "script.mjs"), script);

type Begin = () => Promise<number>;
const runIn =
  (runner: typeof warm, runtime: "bun" | "node" = "bun"): Begin =>
  async () => {
    const startedAt = performance.now();
    let first = 0;
    const { error } = await runner.run({
      script,
      runtime,
      onOutput: () => {
        first ||= performance.now() - startedAt;
      },
    });
    if (error) throw new Error(error.message);
    return first;
  };
const processOf =
  (command: string, args: string[]): Begin =>
  async () => {
    const startedAt = performance.now();
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], cwd: directory });
    await once(child.stdout, "data");
    const first = performance.now() - startedAt;
    await once(child, "exit");
    return first;
  };

const rows: [name: string, peer: string | undefined, begin: Begin][] = [
  ["`bun script.ts`", undefined, processOf(process.execPath, [file])],
  ["runner, warm agent (`keepReady`)", "`bun script.ts`", runIn(warm)],
  ["runner, without a place kept ready", "`bun script.ts`", runIn(cold)],
  ["runner, without namespaces", "`bun script.ts`", runIn(marked)],
  [
    "`larder run script.ts`, whole process",
    "`bun script.ts`",
    processOf(larder, ["run", file, "--data-dir", stage.store.directory]),
  ],
  ...(node
    ? ([
        ["`node script.mjs`", undefined, processOf(node, [join(directory, "script.mjs")])],
        ["runner, warm agent, Node, from TypeScript", "`node script.mjs`", runIn(warm, "node")],
      ] as typeof rows)
    : []),
];
const samples: Record<string, number[]> = {};
for (let round = -2; round < rounds; round++) {
  for (const [name, , begin] of rows) {
    // What the last one left to be done is done when the next begins.
    await Bun.sleep(60);
    const ms = await begin();
    if (round >= 0) samples[name] = [...(samples[name] ?? []), ms];
  }
}
await rm(directory, { recursive: true, force: true });

const lines = rows.map(([name, peer]) => {
  const own = samples[name] ?? [];
  const more =
    peer === undefined ? "" : `+${(summarise(own).median - summarise(samples[peer] ?? []).median).toFixed(1)} ms over ${peer}`;
  return `| ${name} | ${formatSummary(own)} | ${more} |`;
});
const nodeVersion = node ? `, Node ${(await new Response(Bun.spawn([node, "--version"]).stdout).text()).trim()}` : "";
const text = [
  `${rounds} rounds in turn, median (minimum–maximum). Bun ${Bun.version}${nodeVersion}, ${cpus().length} cores, Linux ${release()}.`,
  "",
  "| from the call to the first line of the script | time | difference of the medians |",
  "|---|---|---|",
  ...lines,
].join("\n");
console.log(options.includes("--json") ? JSON.stringify({ rounds, samples }) : text);
