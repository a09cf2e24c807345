import { type BlobStore, openBlobStore } from "../../src/blobs/index.ts";
import { type BlobKey, LarderError } from "../../src/contract/index.ts";

/** A store in memory, under any name, that can be made to fail. */
export interface FaultyStore extends BlobStore {
  /** From now on its copy is read as damaged, until it is put again. */
  damage(key: BlobKey): void;
  /** The next put of each such key is taken, and damaged. */
  tear(...keys: BlobKey[]): void;
  /** What the methods named throw from the `after`-th call on; `undefined` mends it. */
  fail(fault: { methods: (keyof BlobStore)[]; error: LarderError; after?: number; times?: number } | undefined): void;
  /** Puts that succeeded. */
  puts: number;
  keys(): Promise<BlobKey[]>;
}

export async function openFaultyStore(name: string): Promise<FaultyStore> {
  const store = await openBlobStore({ driver: "memory" });
  const damaged = new Set<BlobKey>();
  const torn = new Set<BlobKey>();
  let fault: Parameters<FaultyStore["fail"]>[0];
  let calls = 0;
  const check = (method: keyof BlobStore) => {
    if (fault === undefined || !fault.methods.includes(method)) return;
    calls++;
    const { after = 0, times = Number.POSITIVE_INFINITY, error } = fault;
    if (calls > after && calls <= after + times) throw error;
  };
  const faulty: FaultyStore = {
    ...store,
    name,
    puts: 0,
    async put(key, content, options) {
      check("put");
      const done = await store.put(key, content, options);
      faulty.puts++;
      damaged.delete(key);
      if (torn.delete(key)) damaged.add(key);
      return done;
    },
    async get(key, options) {
      check("get");
      const found = await store.get(key, options);
      return found && damaged.has(key) ? { ...found, content: failing(key) } : found;
    },
    async head(key) {
      check("head");
      return await store.head(key);
    },
    async delete(key) {
      check("delete");
      await store.delete(key);
      damaged.delete(key);
    },
    list(options) {
      check("list");
      return store.list(options);
    },
    damage: (key) => void damaged.add(key),
    tear: (...keys) => {
      for (const key of keys) torn.add(key);
    },
    fail(next) {
      fault = next;
      calls = 0;
    },
    keys: async () => (await Array.fromAsync(store.list())).map(({ key }) => key),
  };
  return faulty;
}

async function* failing(key: BlobKey): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(3);
  throw new LarderError("E_BLOB_CORRUPT", `Stored blob ${key} is damaged.`, { details: { blob: key } });
}
