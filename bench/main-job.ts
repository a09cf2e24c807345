// The main job on about 40 well-known packages, each step against its nearest peer in the same run, in turn. Asserts nothing.
// `npm run bench` prints a table and writes bench/results/latest.md; `-- --json` prints one JSON object; `-- --rounds N`.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createControlPlaneClient, createReconcileMemory, reconcileOnce } from "../src/agent/index.ts";
import { openHostStore, openStoreWriter } from "../src/host/index.ts";
import { silentLogger } from "../src/lib/index.ts";
import { createRunner } from "../src/runner/index.ts";
import { realPackages } from "../test/e2e/real-packages.ts";
import { type LarderServer, startServer } from "../test/harness/processes.ts";
import { openRegistryMirror } from "../test/harness/registry-mirror.ts";
import { formatSummary, summarise } from "./statistics.ts";

const options = process.argv.slice(2);
const rounds = Number(options[options.indexOf("--rounds") + 1] ?? 0) || 7;
const json = options.includes("--json");
const added = { name: "is-odd", version: "3.0.1" };
const changed = { name: "ms", version: "2.1.2" };

const samples: Record<string, number[]> = {};
const phases: Record<string, Record<string, number[]>> = {};
const facts: Record<string, number | string> = {};

const push = (into: Record<string, number[]>, name: string, ms: number) => {
  into[name] = [...(into[name] ?? []), ms];
};
const note = (row: string, ms: number, parts: Record<string, number> = {}) => {
  push(samples, row, ms);
  const known = phases[row] ?? {};
  phases[row] = known;
  for (const [part, partMs] of Object.entries(parts)) push(known, part, partMs);
};

const say = (text: string) => process.stderr.write(`${text}\n`);
const root = await mkdtemp(join(tmpdir(), "larder-bench-"));
await using mirror = await openRegistryMirror();
try {
  say("filling the registry mirror");
  await bunInstall(join(root, "warm-up"), {});
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`);
    await measureRound(join(root, `round-${round}`));
  }
} finally {
  await rm(root, { recursive: true, force: true });
}
await report();

async function measureRound(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const cold = await bunInstall(join(directory, "bun"), {});
  note("bun install, empty cache", cold.ms);
  await using server = await startServer("serve", {
    dataDir: join(directory, "control-plane"),
    args: ["--registry", mirror.url, "--log-level", "warn"],
  });
  const api = await apiOf(server);
  await api("POST", "/environments/default/packages", {
    packages: Object.entries(realPackages).map(([name, version]) => ({ name, version })),
  });
  const first = await install(api);
  note("install, cold", first.timingsMs.total ?? 0, first.timingsMs);
  Object.assign(facts, {
    packages: Object.keys(realPackages).length,
    nodes: first.nodes,
    blobs: first.blobs,
    bytes: first.bytes,
  });

  const { token } = await api<{ token: string }>("POST", "/enrolments", { id: "bench", environment: "default" });
  await using store = await openHostStore({ directory: join(directory, "host") });
  await using writer = await openStoreWriter(store, { purpose: "bench" });
  const host = {
    writer,
    token,
    server: new URL(server.url),
    controlPlane: createControlPlaneClient({ server: new URL(server.url), store }),
    logger: silentLogger,
    memory: createReconcileMemory(),
  };
  const reconcile = async (row: string) => {
    const startedAt = performance.now();
    const result = await reconcileOnce(host);
    note(row, performance.now() - startedAt, result.timingsMs);
    return result;
  };
  await reconcile("reconcile, cold");
  await reconcile("reconcile, nothing to do");

  await api("POST", "/environments/default/packages", { packages: [added] });
  const second = await install(api);
  note("install, one package added", second.timingsMs.total ?? 0, second.timingsMs);
  note("bun add, warm cache", (await bunInstall(cold.directory, { [added.name]: added.version }, cold.cache)).ms);
  await reconcile("reconcile, one package added");
  await api("POST", "/environments/default/packages", { packages: [changed] });
  await install(api);
  await reconcile("reconcile, one leaf changed");
  await api("POST", "/environments/default/generations/1/rollback", {});
  await reconcile("reconcile, back to a tree that is there");

  const runner = createRunner(store);
  const script = `import dayjs from "dayjs"; export default dayjs("2026-01-31").date()`;
  const bare = join(directory, "bun", "bare.ts");
  await writeFile(bare, `import dayjs from "dayjs"; console.log(dayjs("2026-01-31").date())`);
  for (let i = 0; i < 3; i++) {
    const startedAt = performance.now();
    await runner.run({ script });
    note("run of a script", performance.now() - startedAt);
    const bareStartedAt = performance.now();
    await Bun.spawn([process.execPath, bare], { stdout: "ignore" }).exited;
    note("bare bun script.ts", performance.now() - bareStartedAt);
  }
  await rm(directory, { recursive: true, force: true });
}

/** Whole process, from the mirror, with a cache of its own. */
async function bunInstall(directory: string, more: Record<string, string>, cache = join(directory, ".cache")) {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "package.json"), JSON.stringify({ name: "peer", dependencies: { ...realPackages, ...more } }));
  const startedAt = performance.now();
  const child = Bun.spawn([process.execPath, "install", "--ignore-scripts", "--no-progress", "--registry", mirror.url], {
    cwd: directory,
    env: { PATH: process.env.PATH, HOME: directory, BUN_INSTALL_CACHE_DIR: cache },
    stdout: "ignore",
    stderr: "pipe",
  });
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
  return { ms: performance.now() - startedAt, directory, cache };
}

type Api = <T = unknown>(method: string, path: string, body?: unknown) => Promise<T>;

async function apiOf(server: LarderServer): Promise<Api> {
  const token = await server.adminToken();
  return async <T>(method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${server.url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
}

interface Installed {
  nodes: number;
  blobs: number;
  bytes: number;
  timingsMs: Record<string, number>;
}

async function install(api: Api): Promise<Installed> {
  const { operation } = await api<{ operation: { id: string } }>("POST", "/environments/default/installs", {});
  for (;;) {
    const now = await api<{ state: string; result?: Installed; error?: { message: string } }>(
      "GET",
      `/operations/${operation.id}`,
    );
    if (now.state === "succeeded" && now.result) return now.result;
    if (now.error) throw new Error(now.error.message);
    await Bun.sleep(20);
  }
}

async function report(): Promise<void> {
  const rows = [
    ["install, cold", "bun install, empty cache"],
    ["install, one package added", "bun add, warm cache"],
    ["reconcile, cold", "bun install, empty cache"],
    ["reconcile, one package added", "bun add, warm cache"],
    ["reconcile, one leaf changed", "bun add, warm cache"],
    ["reconcile, back to a tree that is there"],
    ["reconcile, nothing to do"],
    ["run of a script", "bare bun script.ts"],
  ] as const;
  const table = rows.map(([row, peer]) => {
    const ours = samples[row] ?? [];
    const theirs = peer === undefined ? undefined : (samples[peer] ?? []);
    const ratio = theirs ? `${(summarise(ours).median / summarise(theirs).median).toFixed(2)} ×` : "";
    return `| ${row} | ${formatSummary(ours)} | ${theirs ? `${formatSummary(theirs)} \`${peer}\`` : ""} | ${ratio} | ${spentOn(row)} |`;
  });
  const text = [
    `${facts.packages} packages, ${facts.nodes} nodes on all platforms; ${facts.blobs} blobs, ${(Number(facts.bytes) / 1e6).toFixed(1)} MB packed for this one.`,
    `${rounds} rounds, median (minimum–maximum). Bun ${Bun.version}, ${cpus().length} cores, ${await fileSystemOf(tmpdir())} at the temporary directory, registry on loopback.`,
    "",
    "| what | Larder | peer, same run | ratio | medians of its parts |",
    "|---|---|---|---|---|",
    ...table,
  ].join("\n");
  await mkdir(join(import.meta.dir, "results"), { recursive: true });
  await writeFile(join(import.meta.dir, "results", "latest.md"), `${text}\n`);
  console.log(json ? JSON.stringify({ facts, rounds, samples, phases }) : text);
}

function spentOn(row: string): string {
  return Object.entries(phases[row] ?? {})
    .filter(([part]) => part !== "total")
    .map(([part, values]) => [part, summarise(values).median] as const)
    .filter(([, ms]) => ms >= 0.5)
    .map(([part, ms]) => `${part} ${ms.toFixed(ms < 10 ? 1 : 0)}`)
    .join(", ");
}

async function fileSystemOf(path: string): Promise<string> {
  const mounts = (await readFile("/proc/mounts", "utf8").catch(() => "")).trim().split("\n");
  const holding = mounts
    .map((line) => line.split(" "))
    .filter(([, point = ""]) => `${path}/`.startsWith(point === "/" ? "/" : `${point}/`));
  return holding.sort(([, a = ""], [, b = ""]) => b.length - a.length)[0]?.[2] ?? "unknown file system";
}
