import { readlink } from "node:fs/promises";
import { openTempDir } from "../../../test/harness/temp-dir.ts";
import { type HostStore, openHostStore, openStoreWriter, type StoreWriter } from "../../host/index.ts";
import { silentLogger } from "../../lib/index.ts";
import { createControlPlaneClient, type ReconcileOptions, type ReconcileResult, reconcileOnce } from "../index.ts";
import type { FakeControlPlane } from "./fake-control-plane.ts";

export interface TestHost extends AsyncDisposable {
  store: HostStore;
  directory: string;
  writer: StoreWriter;
  /** One pass against `fake`. */
  reconcile(options?: Partial<ReconcileOptions>): Promise<ReconcileResult>;
  /** The lockfile hash that `current` serves. */
  served(): Promise<string | undefined>;
}

export async function openTestHost(fake: FakeControlPlane): Promise<TestHost> {
  const temp = await openTempDir("agent");
  const store = await openHostStore({ directory: temp.join("data") });
  const writer = await openStoreWriter(store, { purpose: "test" });
  return {
    store,
    directory: store.directory,
    writer,
    reconcile: (options) =>
      reconcileOnce({
        writer,
        controlPlane: createControlPlaneClient({ server: fake.url, store, timeoutMs: 5000, idleMs: 1000 }),
        token: fake.token,
        server: fake.url,
        logger: silentLogger,
        ...options,
      }),
    served: () =>
      readlink(store.layout.current).then(
        (target) => target.replace("trees/", ""),
        () => undefined,
      ),
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await temp[Symbol.asyncDispose]();
    },
  };
}
