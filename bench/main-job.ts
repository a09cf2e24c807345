// The main job on about 40 well-known packages, each step against its nearest peer in the same run, in turn. Asserts nothing.
// `npm run bench [-- --rounds N] [--json]`; writes bench/results/latest.md.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { createRunner } from "../src/runner/index.ts";
import { realPackages } from "../test/e2e/real-packages.ts";
import { openRegistryMirror } from "../test/harness/registry-mirror.ts";
import { measured } from "./peers.ts";
import { createReport, fileSystemOf, openScratch, readOptions, say } from "./report.ts";
import { type BenchHost, openBenchHost, openStage, type Stage } from "./stage.ts";

const { rounds, json } = readOptions(7);
const added = { "is-odd": "3.0.1" };
const changed = { ms: "2.1.2" };
const report = createReport();
await using scratch = await openScratch("main-job");
await using mirror = await openRegistryMirror();

say("filling the registry mirror");
await bunInstall(scratch.join("warm-up"), realPackages);
let facts = { nodes: 0, blobs: 0, bytes: 0 };
for (let round = 0; round < rounds; round++) {
  say(`round ${round + 1} of ${rounds}`);
  const directory = scratch.join(`round-${round}`);
  await mkdir(directory);
  await measureRound(directory);
  await rm(directory, { recursive: true, force: true });
}

await report.write("latest", {
  json,
  heading: [
    `${Object.keys(realPackages).length} packages, ${facts.nodes} nodes on all platforms; ${facts.blobs} blobs, ${(facts.bytes / 1e6).toFixed(1)} MB packed for this one.`,
    `${rounds} rounds, median (minimum–maximum). Bun ${Bun.version}, ${cpus().length} cores, ${await fileSystemOf(scratch.path)} at the temporary directory, registry on loopback.`,
  ],
  rows: [
    { title: "install, cold", ours: "install cold", peers: ["bun install, empty cache"] },
    { title: "install, one package added", ours: "install added", peers: ["bun add, warm cache"] },
    { title: "reconcile, cold", ours: "agent cold", peers: ["bun install, empty cache"] },
    { title: "reconcile, one package added", ours: "agent added", peers: ["bun add, warm cache"] },
    { title: "reconcile, one leaf changed", ours: "agent leaf", peers: ["bun add, warm cache"] },
    { title: "reconcile, back to a tree that is there", ours: "agent back", peers: [] },
    { title: "reconcile, nothing to do", ours: "agent nothing", peers: [] },
    { title: "run of a script", ours: "run", peers: ["bare bun script.ts"] },
  ],
});

async function measureRound(directory: string): Promise<void> {
  const project = join(directory, "bun");
  await bunInstall(project, realPackages, "bun install, empty cache");
  await using stage = await openStage(join(directory, "control-plane"), mirror.url);
  await stage.allow(realPackages);
  facts = await install(stage, "install cold");
  const token = await stage.enrol("bench");
  await using host = await openBenchHost(join(directory, "host"), { server: stage.server.url, token });
  await reconcile(host, "agent cold");
  await reconcile(host, "agent nothing");

  await stage.allow(added);
  await install(stage, "install added");
  await bunInstall(project, { ...realPackages, ...added }, "bun add, warm cache");
  await reconcile(host, "agent added");
  await stage.allow(changed);
  await stage.install();
  await reconcile(host, "agent leaf");
  await stage.rollback(1);
  await reconcile(host, "agent back");
  await runScripts(host, project);
}

async function install(stage: Stage, sample: string) {
  const installed = await stage.install();
  report.add(sample, installed.timingsMs.total ?? 0, { parts: installed.timingsMs });
  return installed;
}

async function reconcile(host: BenchHost, sample: string): Promise<void> {
  const { flippedMs, timingsMs } = await host.reconcile();
  report.add(sample, flippedMs, { parts: timingsMs });
}

/** Whole process, from the mirror, with a cache of its own beside the project. */
async function bunInstall(project: string, dependencies: Record<string, string>, sample?: string): Promise<void> {
  await mkdir(project, { recursive: true });
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "peer", dependencies }));
  const args = ["install", "--ignore-scripts", "--no-progress", "--registry", mirror.url];
  const { ms } = await measured(process.execPath, args, project);
  if (sample) report.add(sample, ms);
}

async function runScripts({ store }: BenchHost, project: string): Promise<void> {
  const runner = createRunner(store);
  const script = `import dayjs from "dayjs"; export default dayjs("2026-01-31").date()`;
  const bare = join(project, "bare.ts");
  await writeFile(bare, `import dayjs from "dayjs"; console.log(dayjs("2026-01-31").date())`);
  for (let i = 0; i < 3; i++) {
    const startedAt = performance.now();
    await runner.run({ script });
    report.add("run", performance.now() - startedAt);
    const bareStartedAt = performance.now();
    await Bun.spawn([process.execPath, bare], { stdout: "ignore" }).exited;
    report.add("bare bun script.ts", performance.now() - bareStartedAt);
  }
}
