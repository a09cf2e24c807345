// How long a command takes that has next to nothing to do: whole processes, in turn, beside Bun with an empty script, and beside another checkout's `larder`
// if one is named. Asserts nothing. `npm run bench -- start [--rounds N] [--against OTHER/bin/larder] [--json]`.
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { resolve } from "node:path";
import { larderCommand } from "../test/harness/processes.ts";
import { measured } from "./peers.ts";
import { createReport, fileSystemOf, openScratch, readOptions, say } from "./report.ts";
import { openStage } from "./stage.ts";

const { rounds, json } = readOptions(15);
const at = process.argv.indexOf("--against");
const other = at < 0 ? undefined : resolve(process.argv[at + 1] ?? "");
const report = createReport();

await using scratch = await openScratch("start");
// Nothing is asked of a registry.
await using stage = await openStage(scratch.join("control-plane"), "http://127.0.0.1:9");
const token = await stage.enrol("host");
const host = ["--data-dir", scratch.join("host"), "--server", stage.server.url];
const cases: Record<string, string[]> = {
  "--version": ["--version"],
  "--help": ["--help"],
  status: ["status", "--data-dir", stage.server.dataDir],
  list: ["list", "--data-dir", stage.server.dataDir],
  "reconcile, nothing to do": ["reconcile", ...host],
  verify: ["verify", ...host],
};
const empty = scratch.join("empty.ts");
await writeFile(empty, "");
const folder = scratch.join("work");
for (const made of [folder, scratch.join("host")]) await mkdir(made);
const launchers = { larder: larderCommand, ...(other && { other }) };
await measured(larderCommand, ["reconcile", ...host], folder, { LARDER_TOKEN: token });

for (let round = 0; round < rounds; round++) {
  say(`round ${round + 1} of ${rounds}`);
  report.add("bun", (await measured(process.execPath, [empty], folder)).ms);
  for (const [title, args] of Object.entries(cases)) {
    for (const [name, launcher] of Object.entries(launchers)) {
      const { ms, peakBytes } = await measured(launcher, args, folder);
      report.add(`${name} ${title}`, ms, { peakBytes });
    }
  }
}

await report.write("start", {
  json,
  heading: [`${rounds} rounds, median (minimum–maximum); ${cpus().length} cores, ${await fileSystemOf(scratch.path)}.`],
  rows: Object.keys(cases).map((title) => ({
    title: `larder ${title}`,
    ours: `larder ${title}`,
    peers: ["bun", ...(other ? [`other ${title}`] : [])],
  })),
});
