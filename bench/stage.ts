import { join } from "node:path";
import { createControlPlaneClient, createReconcileMemory, type ReconcileResult, reconcileOnce } from "../src/agent/index.ts";
import { type HostStore, openHostStore, openStoreWriter } from "../src/host/index.ts";
import { silentLogger } from "../src/lib/index.ts";
import { type LarderServer, startServer } from "../test/harness/processes.ts";

/** What an install says when it is done. */
export interface Installed {
  generation: number;
  nodes: number;
  blobs: number;
  bytes: number;
  timingsMs: Record<string, number>;
}

interface Planned {
  ok: boolean;
  error?: { message: string };
  timingsMs: Record<string, number>;
}

/** A real `larder serve`, and what an admin does with it. */
export interface Stage extends AsyncDisposable {
  server: LarderServer;
  allow(packages: Record<string, string>): Promise<void>;
  install(): Promise<Installed>;
  rollback(generation: number): Promise<void>;
  /** Milliseconds by step of a plan that would be carried out. */
  plan(changes: { disable?: string[] }): Promise<Record<string, number>>;
  /** A new host's token. */
  enrol(id: string): Promise<string>;
}

export async function openStage(dataDir: string, registry: string): Promise<Stage> {
  const server = await startServer("serve", { dataDir, args: ["--registry", registry, "--log-level", "warn"] });
  const token = await server.adminToken();
  const api = async <T>(method: string, path: string, body: unknown = {}): Promise<T> => {
    const answer = await fetch(`${server.url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(method === "GET" ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  return {
    server,
    async allow(packages) {
      const list = Object.entries(packages).map(([name, version]) => ({ name, version }));
      await api("POST", "/environments/default/packages", { packages: list });
    },
    async install() {
      const { operation } = await api<{ operation: { id: string } }>("POST", "/environments/default/installs");
      for (;;) {
        const now = await api<{ state: string; result?: Installed; error?: { message: string } }>(
          "GET",
          `/operations/${operation.id}`,
        );
        if (now.state === "succeeded" && now.result) return now.result;
        if (now.error) throw new Error(now.error.message);
        await Bun.sleep(20);
      }
    },
    async rollback(generation) {
      await api("POST", `/environments/default/generations/${generation}/rollback`);
    },
    async plan(changes) {
      const plan = await api<Planned>("POST", "/environments/default/plan", { changes });
      if (!plan.ok) throw new Error(plan.error?.message);
      return plan.timingsMs;
    },
    async enrol(id) {
      return (await api<{ token: string }>("POST", "/enrolments", { id, environment: "default" })).token;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A pass of an agent that stays, in this process: from the answer to its question until `current` was flipped, without the tidying after it. */
export interface Pass extends ReconcileResult {
  flippedMs: number;
}

export interface BenchHost extends AsyncDisposable {
  store: HostStore;
  reconcile(): Promise<Pass>;
}

export async function openBenchHost(
  directory: string,
  { server, token }: { server: string; token: string },
  options = {},
): Promise<BenchHost> {
  await using stack = new AsyncDisposableStack();
  const store = stack.use(await openHostStore({ directory: join(directory, "host") }));
  const writer = stack.use(await openStoreWriter(store, { purpose: "bench" }));
  const address = new URL(server);
  const controlPlane = { ...createControlPlaneClient({ server: address, store }), ...options };
  const host = { writer, token, server: address, controlPlane, logger: silentLogger, memory: createReconcileMemory() };
  const owned = stack.move();
  return {
    store,
    async reconcile() {
      const result = await reconcileOnce(host);
      const { total = 0, sweep = 0 } = result.timingsMs;
      return { ...result, flippedMs: total - sweep };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
