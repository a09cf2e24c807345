import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { defaultEnvironment, type ExactVersion, type PackageName } from "../src/contract/index.ts";
import { ensureActiveStore, openDatabase, upsertPackages } from "../src/db/index.ts";
import { createPackumentCache } from "../src/gateway/index.ts";
import { detectPlatform } from "../src/host/index.ts";
import { silentLogger } from "../src/lib/index.ts";
import { createRegistryClient } from "../src/npm/index.ts";
import { createPlanner } from "../src/operations/index.ts";
import { realPackages } from "../test/e2e/real-packages.ts";
import { openTempDir } from "../test/harness/temp-dir.ts";
import { openMemoryRegistry } from "./memory-registry.ts";
import { openStage } from "./stage.ts";
import { formatSummary, summarise } from "./statistics.ts";

// How long a plan takes in a running control plane, against a bare `bun install --lockfile-only` of the same pins from the same registry: one on loopback that has all in
// its memory, in a process of its own. No generation is there. Cold: neither has a cache. Warm: both keep what they asked for before, and the list is the one of the last
// time. Changed: as warm, but another package is taken off the list each time. Edited: as changed, but the list is installed in a real `larder serve`, and bun has its lock.
// Run: npm run bench -- plan [ROUNDS] [whole]; `whole`: the registry has no abbreviated documents.

const packages = Object.entries(realPackages).slice(0, 30);

if (process.argv[2] === "registry") {
  console.info(await openMemoryRegistry({ abbreviates: process.argv[3] !== "whole" }));
  await new Promise(() => {});
}

const rounds = Number(process.argv[2] ?? 7);
await using directory = await openTempDir("bench-plan");
const form = process.argv[3] === "whole" ? "whole" : "abbreviated";
const served = Bun.spawn([process.execPath, import.meta.path, "registry", form], { stdout: "pipe", stderr: "inherit" });
const registry = new TextDecoder().decode((await served.stdout.getReader().read()).value).trim();
try {
  await using db = await openDatabase({ memory: true });
  await ensureActiveStore(db.query, "fs");
  const pins = packages.map(([name, version]) => ({ name: name as PackageName, version: version as ExactVersion }));
  await db.transaction((tx) => upsertPackages(tx, defaultEnvironment, { pins, addedBy: "bench" }));

  const plannerWith = (cache = createPackumentCache()) =>
    createPlanner({
      db,
      registry: createRegistryClient({ registry: new URL(registry) }),
      cache,
      logger: silentLogger,
      bunPath: process.execPath,
      platforms: [detectPlatform()],
      scratchDirectory: directory.join("plans"),
    });
  const plan = async (planner: ReturnType<typeof plannerWith>, without?: string): Promise<number> => {
    const startedAt = performance.now();
    const made = await planner.plan({
      environment: defaultEnvironment,
      changes: without === undefined ? {} : { disable: [without as PackageName] },
      signal: AbortSignal.timeout(120_000),
    });
    if (!made.ok) throw new Error(made.error?.message);
    nodes = made.nodes;
    parts = made.timingsMs;
    return performance.now() - startedAt;
  };
  let nodes = 0;
  let parts: Record<string, number> = {};

  const bun = async (cache: string, without?: string, lock?: string): Promise<number> => {
    const dependencies = Object.fromEntries(packages.filter(([name]) => name !== without));
    const project = directory.join("project");
    await rm(project, { recursive: true, force: true });
    await mkdir(project);
    await writeFile(`${project}/package.json`, JSON.stringify({ name: "x", dependencies }));
    await writeFile(`${project}/bunfig.toml`, `telemetry = false\n[install]\nregistry = "${registry}"\n`);
    if (lock !== undefined) await writeFile(`${project}/bun.lock`, lock);
    const startedAt = performance.now();
    const child = Bun.spawn(
      [process.execPath, "install", "--lockfile-only", "--ignore-scripts", "--no-progress", "--no-summary"],
      {
        cwd: project,
        env: { HOME: project, BUN_INSTALL_CACHE_DIR: cache },
        stdout: "ignore",
        stderr: "ignore",
      },
    );
    if ((await child.exited) !== 0) throw new Error("bun install failed");
    return performance.now() - startedAt;
  };

  await using stage = await openStage(directory.join("serve"), registry);
  await stage.allow(Object.fromEntries(packages));
  await stage.install();
  let editedParts: Record<string, number> = {};
  const editedPlan = async (without: string): Promise<number> => {
    const startedAt = performance.now();
    editedParts = await stage.plan({ disable: [without] });
    return performance.now() - startedAt;
  };

  const warmPlanner = plannerWith();
  const [warmCache, coldCache] = [directory.join("warm"), directory.join("cold")];
  // Fills the registry, and the warm caches.
  await plan(warmPlanner);
  await bun(warmCache);
  const lock = await readFile(directory.join("project", "bun.lock"), "utf8");
  const rows = new Map<string, { plan: Sample[]; bun: Sample[] }>();
  const compare = async (label: string, planOnce: () => Promise<number>, bunOnce: () => Promise<number>) => {
    const row = rows.get(label) ?? { plan: [], bun: [] };
    rows.set(label, row);
    row.plan.push(await sample(planOnce));
    row.bun.push(await sample(bunOnce));
  };
  for (let round = 0; round < rounds; round++) {
    await rm(coldCache, { recursive: true, force: true });
    const [without] = packages[round % packages.length] as [string, string];
    await compare(
      "cold",
      () => plan(plannerWith()),
      () => bun(coldCache),
    );
    await compare(
      "warm",
      () => plan(warmPlanner),
      () => bun(warmCache),
    );
    await compare(
      "changed",
      () => plan(warmPlanner, without),
      () => bun(warmCache, without),
    );
    await compare(
      "edited",
      () => editedPlan(without),
      () => bun(warmCache, without, lock),
    );
  }
  const lines = [...rows].map(([label, row]) => {
    const [ours, theirs] = [row.plan.map(({ ms }) => ms), row.bun.map(({ ms }) => ms)];
    const ratio = (summarise(ours).median / summarise(theirs).median).toFixed(2);
    // The server of `edited` is another process.
    const processor = label === "edited" ? "" : `${meanProcessorMs(row.plan)} / ${meanProcessorMs(row.bun)} ms`;
    return `${label.padEnd(9)} ${formatSummary(ours).padEnd(26)} ${formatSummary(theirs).padEnd(29)} ${ratio.padEnd(8)} ${processor}`;
  });
  console.info(`${packages.length} packages, ${nodes} nodes, ${form} documents, ${rounds} rounds, ${cpus().length} cores, bun ${Bun.version}
          plan                       bun install --lockfile-only   ratio    processor time
${lines.join("\n")}
parts of the last, changed: ${JSON.stringify(parts)}, edited: ${JSON.stringify(editedParts)}`);
} finally {
  served.kill();
}

interface Sample {
  ms: number;
  processorMs: number;
}

/** `work` says how long it took; the rest is what this process and its children that ended meanwhile used. */
async function sample(work: () => Promise<number>): Promise<Sample> {
  // What the work before left behind is not this one's.
  Bun.gc(true);
  const before = await processorMs();
  const ms = await work();
  return { ms, processorMs: (await processorMs()) - before };
}

/** In steps of 10 ms: for means over many rounds. 0 where there is no /proc. */
async function processorMs(): Promise<number> {
  const stat = await readFile("/proc/self/stat", "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
}

function meanProcessorMs(samples: readonly Sample[]): number {
  return Math.round(samples.reduce((sum, { processorMs }) => sum + processorMs, 0) / samples.length);
}
