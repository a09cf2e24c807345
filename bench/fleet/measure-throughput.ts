import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { blobKeyOf, type Integrity } from "../../src/contract/index.ts";
import type { FixtureRegistry } from "../../test/harness/fixture-registry.ts";
import { spawnProcess } from "../../test/harness/spawned.ts";
import type { TempDir } from "../../test/harness/temp-dir.ts";
import { until } from "../../test/harness/until.ts";
import { summarise } from "../statistics.ts";
import { startLoad } from "./child.ts";

const rounds = 7;
const forMs = 1500;

interface Measured {
  perSecond: number;
  p99Ms: number;
  statuses: Record<number, number>;
  bytes: number;
}

/** Rows of a table: what one replica answers per second, in turn with what Verdaccio answers when asked for a packument. */
export async function measureThroughput({
  control,
  registry,
  directory,
  say,
}: {
  control: { url: string; databaseUrl: string };
  registry: FixtureRegistry;
  directory: TempDir;
  say(text: string): void;
}): Promise<string[]> {
  await using verdaccio = await startVerdaccio(directory, registry.url);
  await using load = startLoad("throughput.ts");
  const { etag } = await load.ask<{ etag: string }>("join", control);
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
      const one = await load.ask<Measured>("run", { ...what, forMs });
      measured.set(name, [...(measured.get(name) ?? []), one]);
    }
  }
  const peer = medianOf(measured.get("Verdaccio: packument") ?? []);
  return [
    `64 connections, ${rounds} rounds in turn of ${forMs / 1000} s each; median (minimum–maximum) of requests per second.`,
    "",
    "| what | requests/s | beside Verdaccio's packument | p99 | answers |",
    "|---|---|---|---|---|",
    ...loads.map(({ name }) => {
      const all = measured.get(name) ?? [];
      const { median, min, max } = summarise(all.map(({ perSecond }) => perSecond));
      const p99 = summarise(all.map(({ p99Ms }) => p99Ms)).median;
      const statuses = Object.keys(Object.assign({}, ...all.map((one) => one.statuses)) as object).join(", ");
      return `| ${name} | ${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)}) | ${(median / peer).toFixed(1)} × | ${p99.toFixed(1)} ms | ${statuses} |`;
    }),
  ];
}

const medianOf = (all: readonly Measured[]): number => summarise(all.map(({ perSecond }) => perSecond)).median;

async function startVerdaccio(directory: TempDir, upstream: string): Promise<AsyncDisposable & { url: string }> {
  const config = directory.join("verdaccio.yaml");
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  await writeFile(
    config,
    JSON.stringify({
      storage: directory.join("verdaccio"),
      uplinks: { fixtures: { url: upstream, maxage: "60m" } },
      packages: { "**": { access: "$all", proxy: "fixtures" } },
      log: { type: "stdout", level: "error" },
      web: { enable: false },
    }),
  );
  const main = resolve(import.meta.dir, "../../node_modules/verdaccio/bin/verdaccio");
  const child = spawnProcess("node", [main, "--config", config, "--listen", `127.0.0.1:${port}`], { cwd: directory.path });
  const url = `http://127.0.0.1:${port}`;
  await until("Verdaccio answers", async () => (await fetch(`${url}/first`)).ok, { timeoutMs: 60_000, everyMs: 200 });
  return { url, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}
