import {
  type ControlPlane,
  createControlPlaneClient,
  type ReconcileMemory,
  type ReconcileResult,
  reconcileOnce,
} from "../../src/agent/index.ts";
// biome-ignore lint/style/noRestrictedImports: what an agent says, without an agent
import { createReporter } from "../../src/agent/reporter.ts";
import type { BlobKey, Generation } from "../../src/contract/index.ts";
import { type HostStore, openHostStore, openStoreWriter, type StoreWriter } from "../../src/host/index.ts";
import { silentLogger } from "../../src/lib/index.ts";
// biome-ignore lint/style/noRestrictedImports: a control plane in this process, whose clock, rows and keys tests take
import { commitTestGeneration } from "../../src/server/testing/test-generation.ts";
// biome-ignore lint/style/noRestrictedImports: as above
import { openTestServer, type TestServer } from "../../src/server/testing/test-server.ts";
import { buildGeneration } from "./fixture-generation.ts";
import { openTempDir } from "./temp-dir.ts";

/** A control plane and one host's store in this process, with no agent between but what a test asks for. The server's clock goes on whatever a test does to the host's. */
export interface TrustStage extends AsyncDisposable {
  server: TestServer;
  store: HostStore;
  writer: StoreWriter;
  /** As an agent that was just started asks. */
  connect(): ControlPlane;
  /** For the host `host`. */
  token(): Promise<string>;
  /** One pass. `controlPlane`: instead of the one that was last connected to. */
  reconcile(options?: { token?: string; controlPlane?: ControlPlane; memory?: ReconcileMemory }): Promise<ReconcileResult>;
  /** What an agent says of the store. */
  report(): Promise<void>;
  /** A generation of one package, `x`, that exports `text`. */
  publish(text: string): Promise<Generation>;
}

export const trustEnvironment = "default";

export async function openTrustStage(): Promise<TrustStage> {
  await using stack = new AsyncDisposableStack();
  const clock = { now: () => Math.round(performance.timeOrigin + performance.now()) };
  const temp = stack.use(await openTempDir("trust"));
  const server = stack.use(await openTestServer({ clock }));
  const store = stack.use(await openHostStore({ directory: temp.join("host") }));
  const writer = stack.use(await openStoreWriter(store, { purpose: "test" }));
  const url = new URL(server.url);
  let connected = createControlPlaneClient({ server: url, store });
  const owned = stack.move();
  return {
    server,
    store,
    writer,
    connect() {
      connected = createControlPlaneClient({ server: url, store });
      return connected;
    },
    token: async () => (await server.admin.hosts.enrol({ id: "host", environment: trustEnvironment })).token,
    reconcile: (options = {}) =>
      reconcileOnce({ writer, controlPlane: connected, server: url, logger: silentLogger, ...options }),
    async report() {
      const { signal } = new AbortController();
      const reporting = { store, controlPlane: connected, agentVersion: "test", logger: silentLogger };
      await createReporter(reporting).report({ phase: "ready" }, signal);
    },
    async publish(text) {
      const { blobs } = buildGeneration([{ name: "x", version: "1.0.0", files: { "index.js": text } }], ["x"]);
      const [content] = [...(blobs as Map<BlobKey, Uint8Array>).values()];
      const { generation } = await commitTestGeneration(server.context, { content: content as Uint8Array });
      const { environment, number } = generation;
      server.context.announce({ type: "desired", environment, generation: number });
      return generation;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
