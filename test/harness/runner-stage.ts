import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  flipCurrent,
  type HostStore,
  manifestPath,
  manifestsFolder,
  materialise,
  openHostStore,
  openStoreWriter,
  planTree,
  sweepStore,
} from "../../src/host/index.ts";
import type { FixtureGeneration } from "./fixture-generation.ts";
import { openTempDir, type TempDir } from "./temp-dir.ts";

export interface TestStore extends AsyncDisposable {
  store: HostStore;
  /** Around the store's directory, which is `project/data` in it. */
  temp: TempDir;
  /** Builds the generation's tree for this machine and makes it current. */
  serve(generation: FixtureGeneration, number: number): Promise<void>;
  sweep(): Promise<void>;
}

export async function openTestStore(): Promise<TestStore> {
  const temp = await openTempDir("runner");
  await mkdir(temp.join("project"));
  const store = await openHostStore({ directory: temp.join("project", "data") });
  return {
    store,
    temp,
    async serve({ manifest, lockfileHash, blobs, bytes }, number) {
      await mkdir(manifestsFolder(store), { recursive: true });
      await writeFile(manifestPath(store, lockfileHash), bytes);
      await using writer = await openStoreWriter(store, { purpose: "test" });
      const plan = planTree(manifest, { lockfileHash, platform: store.platform });
      await materialise(writer, plan, {
        signal: new AbortController().signal,
        async fetchBlob(key) {
          const bytes = blobs.get(key);
          if (!bytes) throw new Error(`no blob ${key}`);
          return (async function* () {
            yield bytes;
          })();
        },
      });
      await flipCurrent(writer, { generation: number, lockfileHash });
    },
    async sweep() {
      await using writer = await openStoreWriter(store, { purpose: "test" });
      await sweepStore(writer);
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await temp[Symbol.asyncDispose]();
    },
  };
}

export const runsFolder = (store: HostStore): string => join(store.directory, "runs");
