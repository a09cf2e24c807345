// Many simulated hosts on one replica with PostgreSQL: idle, one change, all back within a second; then requests per second. Asserts nothing.
// `node_modules/.bin/bun bench/fleet.ts [--hosts 10000] [--idle 60] [--poll 60] [--report 60] [--no-throughput] [--profile DIR] [--json]`; writes bench/results/fleet.md. Hosts' rows are
// written to the database as if they had joined a day ago: joining is not what is measured.
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import type { Generation, Operation } from "../src/contract/index.ts";
import { openFixtureRegistry } from "../test/harness/fixture-registry.ts";
import { startPostgres } from "../test/harness/postgres.ts";
import { startServer } from "../test/harness/processes.ts";
import { openTempDir } from "../test/harness/temp-dir.ts";
import { type AdminSummary, startAdmin } from "./fleet/admin.ts";
import { manyFiles, startLoad } from "./fleet/child.ts";
import { measureLists } from "./fleet/measure-lists.ts";
import { measureThroughput } from "./fleet/measure-throughput.ts";
import { assertOpenFiles } from "./fleet/open-file-limit.ts";
import { cpuSecondsOf, cpuSecondsOfChildren, residentOf } from "./fleet/process-usage.ts";

const options = process.argv.slice(2);
const numberOf = (name: string, fallback: number) =>
  options.includes(name) ? Number(options[options.indexOf(name) + 1]) : fallback;
const hostCount = numberOf("--hosts", 10_000);
const idleSeconds = numberOf("--idle", 60);
const pace = { pollMs: numberOf("--poll", 60) * 1000, heartbeatMs: numberOf("--report", 60) * 1000 };
const profileDirectory = options.includes("--profile") ? options[options.indexOf("--profile") + 1] : undefined;
const profiling = profileDirectory ? { BUN_OPTIONS: `--cpu-prof --cpu-prof-md --cpu-prof-dir=${profileDirectory}` } : {};
const say = (text: string) => process.stderr.write(`${text}\n`);
const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

interface Spread {
  count: number;
  first?: number;
  p50?: number;
  p99?: number;
  last?: number;
}
interface Counts {
  connected: number;
  errors: Record<string, number>;
  statuses: Record<string, number>;
}

assertOpenFiles(hostCount);
await using directory = await openTempDir("bench-fleet");
await using database = await startPostgres();
await using registry = await openFixtureRegistry([
  { name: "first", version: "1.0.0" },
  { name: "second", version: "1.0.0", files: { "index.js": randomBytes(40_000).toString("base64") } },
]);
const adminToken = `ldr_admin_${randomBytes(24).toString("hex")}`;
const secretKey = randomBytes(32).toString("hex");
const databaseUrl = await database.createDatabase();
const startReplica = (name: string, ...more: string[]) =>
  startServer("serve", {
    dataDir: directory.join(name),
    listen: "0.0.0.0:0",
    args: ["--database-url", databaseUrl, "--blob-store", "postgres", "--registry", registry.url, ...more],
    env: { LARDER_ADMIN_TOKEN: adminToken, LARDER_LOG_LEVEL: "warn", LARDER_SECRET_KEY: secretKey, ...profiling },
    within: manyFiles,
  });
await using server = await startReplica("replica");
const control = { url: server.url, databaseUrl };

const answerTo = (path: string) => fetch(`${server.url}/api${path}`, { headers: { authorization: `Bearer ${adminToken}` } });

async function api<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${server.url}/api${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

async function install(name: string): Promise<Generation> {
  await api("POST", "/environments/default/packages", { packages: [{ name, version: "1.0.0" }] });
  const { operation } = await api<{ operation: Operation }>("POST", "/environments/default/installs", {});
  for (;;) {
    const { state, error } = await api<Operation>("GET", `/operations/${operation.id}`);
    if (state === "succeeded") break;
    if (error) throw new Error(error.message);
    await Bun.sleep(20);
  }
  return (await api<{ items: Generation[] }>("GET", "/environments/default/generations?limit=1")).items[0] as Generation;
}

const postgresPids = async (): Promise<number[]> => {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return pids.filter((_, i) => names[i]?.startsWith("postgres: larder") || names[i]?.includes(`test_${process.pid}_`));
};

async function usageDuring(seconds: number) {
  const before = [await cpuSecondsOf(server.pid), await cpuSecondsOfChildren(await postgresPids())] as const;
  const admin = startAdmin(api);
  await Bun.sleep(seconds * 1000);
  const asked = await admin.stop();
  const after = [await cpuSecondsOf(server.pid), await cpuSecondsOfChildren(await postgresPids())] as const;
  return {
    cpuShare: (after[0] - before[0]) / seconds,
    databaseCpuShare: (after[1] - before[1]) / seconds,
    ...(await residentOf(server.pid)),
    admin: asked,
  };
}

await install("first");
await using load = startLoad("simulated-hosts.ts");
const empty = await residentOf(server.pid);
say(`${hostCount} hosts (load average ${loadavg()[0]?.toFixed(1)})`);
await load.ask("join", { ...control, ...pace, count: hostCount });
say("opening event streams");
const connected = await load.ask<Spread>("connect", { withinMs: 10_000 });
await Bun.sleep(3000);
const joined = await residentOf(server.pid);
// All looked when they connected, within seconds: nothing is asked until they are due again, and a whole round of polls is what a fleet at rest costs.
const settleSeconds = (1.2 * Math.max(pace.pollMs, pace.heartbeatMs)) / 1000;
say(`streams open after ${connected.last} ms; ${settleSeconds} s until each has polled, then ${idleSeconds} s of idling`);
await Bun.sleep(settleSeconds * 1000);
const beforeIdle = await load.ask<Counts>("counts");
const idle = await usageDuring(idleSeconds);
const afterIdle = await load.ask<Counts>("counts");

say("one change");
await load.ask("watch");
const adminMeanwhile = startAdmin(api);
const [changeCpu, changedFrom] = [await cpuSecondsOf(server.pid), performance.now()];
const generation = await install("second");
const committedAt = Date.parse(generation.createdAt);
let seen = await load.ask<{ told: Spread; fetched: Spread; reported: Spread }>("seen");
while (seen.reported.count < hostCount && performance.now() - changedFrom < 60_000) {
  await Bun.sleep(250);
  seen = await load.ask("seen");
  say(`${seen.told.count} told, ${seen.reported.count} have reported`);
}
const change = { seen, cpuSeconds: (await cpuSecondsOf(server.pid)) - changeCpu, admin: await adminMeanwhile.stop() };
const afterChange = { ...(await load.ask<Counts>("counts")), ...(await residentOf(server.pid)) };

say("all streams break, and come back within a second");
await load.ask("disconnect");
const adminAtReconnect = startAdmin(api);
const reconnectCpu = await cpuSecondsOf(server.pid);
const reconnected = await load.ask<Spread>("connect", { withinMs: 1000 });
const reconnect = {
  reconnected,
  cpuSeconds: (await cpuSecondsOf(server.pid)) - reconnectCpu,
  admin: await adminAtReconnect.stop(),
};
const end = { ...(await load.ask<Counts>("counts")), ...(await residentOf(server.pid)) };
await load[Symbol.asyncDispose]();

say("lists of hosts, when all are gone");
const lists = await measureLists(server, answerTo);
await server.stop(60_000);
const throughput = options.includes("--no-throughput")
  ? []
  : await measureThroughput({
      registry,
      say,
      startReplica: async () =>
        Object.assign(await startReplica("another", "--host-limits", "check-ins=999999,reports=999999,blobs=999999"), {
          databaseUrl,
        }),
    });

const since = (at: number | undefined) => (at === undefined ? "never" : `${((at - committedAt) / 1000).toFixed(2)} s`);
const ms = (value: number) => `${value.toFixed(0)} ms`;
const summarised = ({ p50Ms, p99Ms, failures, requests }: AdminSummary) =>
  `p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}, ${failures.length} of ${requests} failed`;
const adminRow = ({ single, fleet }: { single: AdminSummary; fleet: AdminSummary }) =>
  `people's requests ${summarised(single)}; 500 hosts, and the numbers of all, ${summarised(fleet)}`;
const errorsOf = (counts: Counts) => Object.values(counts.errors).reduce((sum, count) => sum + count, 0);
const putOff = ({ statuses }: Counts) =>
  Object.entries(statuses).reduce((sum, [name, count]) => sum + (name.endsWith(" 503") ? count : 0), 0);
const polls = (from: Counts, to: Counts) =>
  Object.entries(to.statuses).reduce((sum, [name, count]) => sum + count - (from.statuses[name] ?? 0), 0) / idleSeconds;
const rows = [
  ["server before any host", mb(empty.nowBytes)],
  [
    "first connection, spread over 10 s",
    `last host connected and up to date after ${((connected.last ?? 0) / 1000).toFixed(1)} s`,
  ],
  [
    "idle: streams, polls, reports",
    `${(idle.cpuShare * 100).toFixed(0)} % of a core for ${polls(beforeIdle, afterIdle).toFixed(0)} requests/s, PostgreSQL ${(idle.databaseCpuShare * 100).toFixed(0)} %; ${mb(idle.nowBytes)} resident; ${adminRow(idle.admin)}`,
  ],
  [
    "one change: hosts told",
    `${seen.told.count}: p50 ${since(seen.told.p50)}, p99 ${since(seen.told.p99)}, last ${since(seen.told.last)} after the commit`,
  ],
  [
    "… begin, each at a moment of its own",
    `p50 ${since(seen.fetched.p50)}, p99 ${since(seen.fetched.p99)}, last ${since(seen.fetched.last)}`,
  ],
  [
    "… have reported it",
    `${seen.reported.count}: p50 ${since(seen.reported.p50)}, p99 ${since(seen.reported.p99)}, last ${since(seen.reported.last)}; ${change.cpuSeconds.toFixed(1)} s of CPU; ${adminRow(change.admin)}`,
  ],
  [
    "all reconnect within one second",
    `last host connected and up to date after ${((reconnected.last ?? 0) / 1000).toFixed(1)} s, p50 ${((reconnected.p50 ?? 0) / 1000).toFixed(1)} s; ${reconnect.cpuSeconds.toFixed(1)} s of CPU; ${adminRow(reconnect.admin)}`,
  ],
  ["errors seen by hosts", `${errorsOf(end)}${errorsOf(end) > 0 ? ` (${JSON.stringify(end.errors)})` : ""}`],
  [
    "put off for some seconds (503 with `Retry-After`), and then answered",
    `${putOff(afterChange)} during the change, ${putOff(end) - putOff(afterChange)} at the return`,
  ],
  [
    "server memory, at most",
    `${mb(joined.peakBytes)} until all were connected, ${mb(idle.peakBytes)} idle, ${mb(afterChange.peakBytes)} with the change, ${mb(end.peakBytes)} in all`,
  ],
];
const text = [
  `${hostCount} simulated hosts, one replica, PostgreSQL 18, all on ${cpus().length} cores of one machine (load average ${loadavg()[0]?.toFixed(1)} at the end). Bun ${Bun.version}.`,
  "",
  "| what | measured |",
  "|---|---|",
  ...rows.map(([what, measured]) => `| ${what} | ${measured} |`),
  "",
  "| list of hosts | bytes | requests | time, median of 7 | server's CPU |",
  "|---|---|---|---|---|",
  ...lists.map((list) => `| ${list.what} | ${list.bytes} | ${list.requests} | ${ms(list.medianMs)} | ${ms(list.cpuMs)} |`),
  "",
  ...throughput,
].join("\n");
await mkdir(join(import.meta.dir, "results"), { recursive: true });
await writeFile(join(import.meta.dir, "results", "fleet.md"), `${text}\n`);
console.log(options.includes("--json") ? JSON.stringify({ idle, lists, change, reconnect, end, empty }) : text);
