import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createControlPlaneClient } from "../../src/agent/index.ts";
import type { Host, InstallResult, LockfileHash, Manifest, PackageEntry, Status } from "../../src/contract/index.ts";
import { openHostStore } from "../../src/host/index.ts";
import type { RunResult } from "../../src/runner/index.ts";
import { type LarderResult, type LarderServer, runLarder, startAgent, startServer } from "../harness/processes.ts";
import { describeOutput, type Spawned } from "../harness/spawned.ts";
import { openTempDir } from "../harness/temp-dir.ts";
import { until } from "../harness/until.ts";

/** A host with a store of its own: the one within `up`, or a satellite. */
export interface StackHost {
  id: string;
  dataDir: string;
  /** Waits until it serves `generation` or a later one without an error. */
  ready(generation: number): Promise<Host>;
  /** A script, by its text, against this host's current tree. */
  run(script: string, args?: readonly string[]): Promise<RunResult>;
  /** A command with `--data-dir` of this host and `--json`, whatever its exit code. */
  larder(args: readonly string[], options?: { input?: string; env?: Record<string, string> }): Promise<LarderResult>;
}

export interface Satellite extends StackHost {
  agent: Spawned;
}

export interface SatelliteOptions {
  /** Pretends to be this platform. */
  platform?: string;
  /** `default` when absent. */
  environment?: string;
  /** What runs the agent, such as a network namespace's `exec`. */
  within?: readonly string[];
  /** Where the agent reaches the server, when not at its own address. */
  server?: string;
  /** The Bun of another platform, for the agent and every command. */
  bun?: string;
}

/** `larder up` as a real process in a temporary directory, with what a test does to it. Disposal kills its processes and removes everything. */
export interface LarderStack extends StackHost, AsyncDisposable {
  server: LarderServer;
  /** A path in the temporary directory. */
  join(...parts: string[]): string;
  /** `larder add`: `NAME` or `NAME@VERSION`. */
  add(...specs: string[]): Promise<PackageEntry[]>;
  /** `larder install --wait-hosts`: every host serves the result. */
  install(): Promise<InstallResult>;
  status(): Promise<Status & { hosts: Host[] }>;
  manifest(lockfileHash: string): Promise<Manifest>;
  /** The API with the admin token: a path below `/api`. */
  api(path: string, init?: RequestInit): Promise<Response>;
  /** Enrols a host and starts `larder agent` as a process of its own. */
  startSatellite(id: string, options?: SatelliteOptions): Promise<Satellite>;
}

export interface StackOptions {
  registry: string;
  kind?: "up" | "serve";
  /** More flags for `up`. */
  args?: readonly string[];
  env?: Record<string, string>;
  listen?: string;
}

const startMs = 90_000;

export async function openLarderStack({ registry, kind = "up", args = [], ...options }: StackOptions): Promise<LarderStack> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await openTempDir("e2e"));
  const dataDir = directory.join("local");
  await mkdir(dataDir);
  const words = ["--registry", registry, ...(kind === "up" ? ["--poll-interval", "2s"] : []), ...args];
  const server = stack.use(await startServer(kind, { dataDir, args: words, timeoutMs: startMs, ...options }));
  const call = apiOf(server);
  const local = createHost({ id: "local", dataDir, call, flags: [] });
  const owned = stack.move();
  return {
    ...local,
    server,
    join: directory.join,
    api: call,
    async add(...specs) {
      return (await succeed(local.larder(["add", ...specs]))).json<{ packages: PackageEntry[] }>().packages;
    },
    async install() {
      return (await succeed(local.larder(["install", "--wait-hosts", "--timeout", "2m"]))).json<InstallResult>();
    },
    async status() {
      return (await succeed(local.larder(["status"]))).json<Status & { hosts: Host[] }>();
    },
    async manifest(lockfileHash) {
      // Only hosts read manifests: the local one has its key here.
      await using store = await openHostStore({ directory: dataDir });
      const controlPlane = createControlPlaneClient({ server: new URL(server.url), store });
      const { bytes } = await controlPlane.manifest(lockfileHash as LockfileHash);
      return JSON.parse(new TextDecoder().decode(bytes)) as Manifest;
    },
    async startSatellite(id, { platform, environment = "default", within, server: address = server.url, bun } = {}) {
      const where = directory.join(`host-${id}`);
      await mkdir(where, { recursive: true });
      const enrolled = await succeed(local.larder(["hosts", "enrol", id, "--environment", environment]));
      const { token } = enrolled.json<{ token: string }>();
      const flags = platform === undefined ? [] : ["--platform", platform];
      const words = ["--poll-interval", "2s", ...flags];
      const agentOptions = {
        dataDir: where,
        server: address,
        token,
        args: words,
        timeoutMs: startMs,
        bun,
        ...(within && { within }),
      };
      const agent = owned.use(await startAgent(agentOptions));
      await until(`${id} has joined`, async () => (await call(`/hosts/${id}`)).ok);
      return { ...createHost({ id, dataDir: where, call, flags, bun }), agent };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The result of a command that must end well; its output is the error otherwise. */
export async function succeed(command: Promise<LarderResult>): Promise<LarderResult> {
  const result = await command;
  if (result.code === 0) return result;
  throw new Error(
    `The command ended with ${result.code ?? result.signal}.\n${describeOutput({ stdout: () => result.stdout, stderr: () => result.stderr })}`,
  );
}

/** Where a host keeps the tree of a generation's hash. */
export const treeOf = (host: StackHost, lockfileHash: string): string =>
  join(host.dataDir, "trees", lockfileHash, "node_modules");

type Call = LarderStack["api"];

function apiOf(server: LarderServer): Call {
  return async (path, init = {}) => {
    const headers = { authorization: `Bearer ${await server.adminToken()}`, "content-type": "application/json", ...init.headers };
    return await fetch(`${server.url}/api${path}`, { ...init, headers });
  };
}

interface HostOptions {
  id: string;
  dataDir: string;
  call: Call;
  flags: string[];
  bun?: string | undefined;
}

function createHost({ id, dataDir, call, flags, bun }: HostOptions): StackHost {
  const larder: StackHost["larder"] = (args, options) =>
    runLarder([...args, "--data-dir", dataDir, "--json"], { timeoutMs: 150_000, bun, ...options });
  return {
    id,
    dataDir,
    larder,
    ready: (generation) =>
      until(
        `${id} serves generation ${generation}`,
        async () => {
          const host = (await (await call(`/hosts/${id}`)).json()) as Host;
          if (host.generation >= generation && host.phase === "ready") return host;
          throw new Error(JSON.stringify(host));
        },
        { timeoutMs: 60_000, everyMs: 50 },
      ),
    async run(script, args = []) {
      return (await larder(["run", "-", ...flags, ...args], { input: script })).json<RunResult>();
    },
  };
}
