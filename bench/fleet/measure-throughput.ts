import verdaccioPackage from "verdaccio/package.json" with { type: "json" };
import { blobKeyOf, type Integrity } from "../../src/contract/index.ts";
import type { FixtureRegistry } from "../../test/harness/fixture-registry.ts";
import { openVerdaccio } from "../../test/harness/verdaccio.ts";
import { summarise } from "../statistics.ts";
import { startLoad } from "./child.ts";
import { cpuSecondsOf } from "./process-usage.ts";

const { version: verdaccioVersion } = verdaccioPackage;
const rounds = 7;
const forMs = 1500;

interface Measured {
  requests: number;
  /** Of the server, for each request. */
  cpuMs: number;
  perSecond: number;
  p99Ms: number;
  statuses: Record<number, number>;
  bytes: number;
}

/** Rows of a table: what one replica answers per second, in turn with what Verdaccio answers when asked for a packument. */
export async function measureThroughput({
  startReplica,
  registry,
  say,
}: {
  /** One that refuses nobody: what is measured is what it can do. */
  startReplica(): Promise<AsyncDisposable & { url: string; pid: number; databaseUrl: string }>;
  registry: FixtureRegistry;
  say(text: string): void;
}): Promise<string[]> {
  await using verdaccio = await openVerdaccio();
  await verdaccio.publish(await verdaccio.signUp("bench", "bench-bench"), { name: "first", version: "1.0.0" });
  await using control = await startReplica();
  await using load = startLoad("throughput.ts");
  const { etag } = await load.ask<{ etag: string }>("join", { url: control.url, databaseUrl: control.databaseUrl });
  const blob = (name: string) => `/api/blobs/${blobKeyOf(registry.get(name, "1.0.0").integrity as Integrity)}`;
  const loads = [
    { name: "Verdaccio: packument", what: "plain", url: verdaccio.url, path: "/first" },
    { name: "desired state, not modified", what: "desired, not modified", url: control.url, etag },
    { name: "desired state, whole", what: "desired", url: control.url },
    { name: "check-in (report)", what: "check-in", url: control.url },
    { name: "blob of under 1 kB", what: "blob", url: control.url, path: blob("first") },
    { name: "blob of 40 kB", what: "blob", url: control.url, path: blob("second") },
  ];
  const measured = new Map<string, Measured[]>();
  for (let round = 0; round < rounds; round++) {
    say(`throughput, round ${round + 1} of ${rounds}`);
    for (const { name, ...what } of loads) {
      const { pid } = what.url === control.url ? control : verdaccio;
      const cpuBefore = await cpuSecondsOf(pid);
      const one = await load.ask<Omit<Measured, "cpuMs">>("run", { ...what, forMs });
      const cpuMs = ((await cpuSecondsOf(pid)) - cpuBefore) * 1000;
      measured.set(name, [...(measured.get(name) ?? []), { ...one, cpuMs: cpuMs / one.requests }]);
    }
  }
  const peer = medianOf(measured.get("Verdaccio: packument") ?? []);
  return [
    `64 connections to one more replica, with its limits lifted, and Verdaccio ${verdaccioVersion} on Bun as the server in its place; ${rounds} rounds in turn of ${forMs / 1000} s each; median (minimum–maximum) of requests per second.`,
    "",
    "| what | requests/s | beside Verdaccio's packument | p99 | server's CPU each | answers |",
    "|---|---|---|---|---|---|",
    ...loads.map(({ name }) => {
      const all = measured.get(name) ?? [];
      const { median, min, max } = summarise(all.map(({ perSecond }) => perSecond));
      const p99 = summarise(all.map(({ p99Ms }) => p99Ms)).median;
      const cpu = summarise(all.map(({ cpuMs }) => cpuMs)).median;
      const statuses = Object.keys(Object.assign({}, ...all.map((one) => one.statuses)) as object).join(", ");
      return `| ${name} | ${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)}) | ${(median / peer).toFixed(1)} × | ${p99.toFixed(1)} ms | ${cpu.toFixed(2)} ms | ${statuses} |`;
    }),
  ];
}

const medianOf = (all: readonly Measured[]): number => summarise(all.map(({ perSecond }) => perSecond)).median;
