import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import postgres from "postgres";
import type { Generation, HostPage, Operation } from "../../src/contract/index.ts";
import { type FixtureRegistry, openFixtureRegistry } from "../harness/fixture-registry.ts";
import { openFreeNetwork } from "../harness/free-network.ts";
import { type LoadBalancer, openLoadBalancer } from "../harness/load-balancer.ts";
import { startPostgres } from "../harness/postgres.ts";
import { type LarderServer, startAgent, startServer } from "../harness/processes.ts";
import { type S3Server, s3Environment, s3Flags } from "../harness/s3.ts";
import type { Spawned } from "../harness/spawned.ts";
import { openTcpGate, type TcpGate } from "../harness/tcp-gate.ts";
import { openTempDir } from "../harness/temp-dir.ts";
import { until } from "../harness/until.ts";

/** A replica as a process of its own, with a way to the database that can be cut. */
export interface Replica extends LarderServer {
  name: string;
  gate: TcpGate;
}

export interface FleetHost {
  id: string;
  dataDir: string;
  agent: Spawned;
}

/** Replicas over one PostgreSQL behind a load balancer, and hosts as real agents, each in a network of its own where that can be had. */
export interface Fleet extends AsyncDisposable {
  /** Those that run, by name. */
  replicas: Map<string, Replica>;
  hosts: FleetHost[];
  balancer: LoadBalancer;
  registry: FixtureRegistry;
  /** This process's own way to the database. */
  sql: postgres.Sql;
  /** A replica of this name, in the load balancer once it is ready. */
  start(name: string, options?: { failpoint?: string; args?: readonly string[] }): Promise<Replica>;
  /** Takes it out, however it ended or did not. */
  forget(replica: Replica): Promise<void>;
  api<T = unknown>(at: { url: string }, method: string, path: string, body?: unknown): Promise<T>;
  /** Newest first. */
  generations(at: { url: string }): Promise<Generation[]>;
  /** Adds a package that was never added before, so that the next install makes a generation. */
  change(at: { url: string }): Promise<void>;
  install(at: { url: string }): Promise<{ operation: Operation; joined: boolean }>;
  /** Waits until every host serves `generation`; milliseconds since the call. */
  converged(at: { url: string }, generation: number): Promise<number>;
}

export interface FleetOptions {
  replicas: number;
  hosts: number;
  /** Without it hosts are processes in this network. */
  ownNetworks: boolean;
  /** More flags of the replicas that it starts with. */
  args?: readonly string[];
  /** Keeps the blobs; otherwise the database does. */
  s3?: S3Server;
}

const packagesToAdd = 120;

export async function openFleet({
  replicas: count,
  hosts: hostCount,
  ownNetworks,
  args: common = [],
  s3,
}: FleetOptions): Promise<Fleet> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await openTempDir("fleet"));
  const databaseUrl = new URL(await stack.use(await startPostgres()).createDatabase());
  const sql = postgres(databaseUrl.href, { max: 2, onnotice: () => {} });
  stack.defer(() => sql.end());
  const registry = stack.use(await openFixtureRegistry(fixtures()));
  const balancer = stack.use(await openLoadBalancer({ host: "0.0.0.0" }));
  const adminToken = `ldr_admin_${randomBytes(24).toString("hex")}`;
  const env = {
    LARDER_ADMIN_TOKEN: adminToken,
    LARDER_SECRET_KEY: randomBytes(32).toString("hex"),
    ...(s3 && s3Environment(s3)),
  };
  const replicas = new Map<string, Replica>();
  let added = 0;

  const fleet: Omit<Fleet, typeof Symbol.asyncDispose> = {
    replicas,
    hosts: [],
    balancer,
    registry,
    sql,
    async start(name, { failpoint, args = [] } = {}) {
      const gate = await openTcpGate({ host: "127.0.0.1", port: Number(databaseUrl.port) });
      const url = new URL(databaseUrl);
      url.port = String(gate.port);
      const server = await startServer("serve", {
        dataDir: directory.join(`replica-${name}`),
        args: [
          "--database-url",
          url.href,
          ...(s3 ? ["--blob-store", "s3", ...s3Flags(s3)] : ["--blob-store", "postgres"]),
          "--registry",
          registry.url,
          "--collect-every",
          "off",
          ...args,
        ],
        env: { ...env, ...(failpoint && { LARDER_FAILPOINT: failpoint }) },
      });
      const replica = Object.assign(server, { name, gate });
      replicas.set(name, replica);
      balancer.set(name, replica.url);
      return replica;
    },
    async forget(replica) {
      if (replicas.get(replica.name) === replica) {
        replicas.delete(replica.name);
        balancer.set(replica.name, undefined);
      }
      await replica[Symbol.asyncDispose]();
      await replica.gate[Symbol.asyncDispose]();
    },
    async api<T>(at: { url: string }, method: string, path: string, body?: unknown) {
      const answer = await fetch(`${at.url}/api${path}`, {
        method,
        headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(20_000),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return JSON.parse(text) as T;
    },
    async generations(at) {
      const path = "/environments/default/generations?limit=1000";
      return (await fleet.api<{ items: Generation[] }>(at, "GET", path)).items;
    },
    async change(at) {
      added += 1;
      await fleet.api(at, "POST", "/environments/default/packages", { packages: [{ name: `add-${added}`, version: "1.0.0" }] });
    },
    install: (at) => fleet.api(at, "POST", "/environments/default/installs", {}),
    async converged(at, generation) {
      const startedAt = performance.now();
      await until(
        `every host serves generation ${generation}`,
        async () => {
          const { items: hosts } = await fleet.api<HostPage>(at, "GET", "/hosts");
          const late = hosts.filter((host) => host.generation !== generation || host.phase !== "ready");
          if (hosts.length === fleet.hosts.length && late.length === 0) return true;
          throw new Error(JSON.stringify(late));
        },
        { timeoutMs: 60_000, everyMs: 25 },
      );
      return performance.now() - startedAt;
    },
  };
  stack.defer(async () => {
    for (const replica of [...replicas.values()]) await fleet.forget(replica);
  });

  // All at once, on an empty database.
  const [first] = await Promise.all(Array.from({ length: count }, (_, i) => fleet.start(`r${i + 1}`, { args: common })));
  const startHost = async (id: string) => {
    const network = ownNetworks ? stack.use(await openFreeNetwork()) : undefined;
    const dataDir = directory.join(`host-${id}`);
    await mkdir(dataDir);
    const { token } = await fleet.api<{ token: string }>(first as Replica, "POST", "/enrolments", { id, environment: "default" });
    const agent = await startAgent({
      dataDir,
      server: `http://${network?.address ?? "127.0.0.1"}:${balancer.port}`,
      token,
      args: ["--poll-interval", "5s"],
      ...(network && { within: network.within }),
    });
    stack.use(agent);
    return { id, dataDir, agent };
  };
  fleet.hosts = await Promise.all(Array.from({ length: hostCount }, (_, i) => startHost(`host-${i + 1}`)));
  const owned = stack.move();
  return Object.assign(fleet, { [Symbol.asyncDispose]: () => owned.disposeAsync() });
}

const fixtures = () => [
  { name: "shared", version: "1.0.0" },
  ...Array.from({ length: packagesToAdd }, (_, i) => ({
    name: `add-${i + 1}`,
    version: "1.0.0",
    dependencies: { shared: "^1.0.0" },
  })),
];

/** Returns when the failpoint's `stop` has been reached. */
export async function isAsleep({ pid }: { pid: number }): Promise<void> {
  await until("it sleeps", async () => / T /.test((await readFile(`/proc/${pid}/stat`, "utf8")).slice(0, 60)), {
    timeoutMs: 20_000,
    everyMs: 5,
  });
}
