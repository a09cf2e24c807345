import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { type BlobStores, createBlobReader, createBlobStores, openBlobStore } from "../../src/blobs/index.ts";
import type { BlobKey, Operation } from "../../src/contract/index.ts";
import { type Db, getActiveStore, listBlobEntries, listOperations, openDatabase, putBlobEntry } from "../../src/db/index.ts";
import { silentLogger } from "../../src/lib/index.ts";
import { startPostgres } from "../harness/postgres.ts";
import { type LarderServer, startServer } from "../harness/processes.ts";
import { type S3Server, s3Environment, s3Flags, startS3 } from "../harness/s3.ts";
import { commitBlobs } from "../harness/storage-stage.ts";
import { openTempDir } from "../harness/temp-dir.ts";
import { until } from "../harness/until.ts";

/** Replicas as real processes over one PostgreSQL, one file system and one bucket; this process looks on, and reads as a replica does. */
export interface StorageReplicas extends AsyncDisposable {
  db: Db;
  stores: BlobStores;
  directory: string;
  /** `name:kill`, `name:stop`, … in `failpoint`. */
  start(failpoint?: string): Promise<LarderServer>;
  api<T = unknown>(server: LarderServer, method: string, path: string, body?: unknown): Promise<T>;
  /** Puts blobs into the active store, with a generation that needs them all. */
  fill(count: number, sizeBytes: number): Promise<BlobKey[]>;
  /** A generation with these. */
  commit(keys: readonly BlobKey[]): Promise<number>;
  /** Back into the active store, as an install does that wants it again. */
  putBack(key: BlobKey): Promise<void>;
  bytesOf(key: BlobKey): Buffer;
  fsPathOf(key: BlobKey): string;
  /** The newest of its kind has ended so. */
  ended(kind: Operation["kind"], state: Operation["state"], timeoutMs?: number): Promise<Operation>;
  /** Every row names a store that has its bytes whole. */
  assertIndexIsTrue(): Promise<void>;
  /** Reads every one of `keys`, over and over, until it is stopped; a failed read is an error there. */
  probe(keys: readonly BlobKey[]): { stop(): Promise<number> };
  stopS3(): Promise<void>;
}

export async function openStorageReplicas(): Promise<StorageReplicas> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await openTempDir("replicas"));
  const databaseUrl = await stack.use(await startPostgres()).createDatabase();
  const s3 = stack.use(await startS3());
  const db = stack.use(await openDatabase({ url: databaseUrl }));
  const blobsDirectory = directory.join("data/control/blobs");
  const stores = stack.use(
    createBlobStores({
      fs: () => openBlobStore({ driver: "fs", directory: blobsDirectory }),
      postgres: () => openBlobStore({ driver: "postgres", db }),
      s3: () => openBlobStore({ driver: "s3", ...s3OptionsOf(s3) }),
    }),
  );
  const contents = new Map<BlobKey, Buffer>();
  const adminToken = `ldr_admin_${randomBytes(24).toString("hex")}`;
  const env = {
    LARDER_ADMIN_TOKEN: adminToken,
    ...s3Environment(s3),
  };
  const args = ["--database-url", databaseUrl, "--registry", "http://127.0.0.1:9/", "--collect-every", "off", ...s3Flags(s3)];
  const running: LarderServer[] = [];
  stack.defer(async () => {
    for (const server of running) await server[Symbol.asyncDispose]();
  });

  const putInto = async (key: BlobKey) => {
    const bytes = contents.get(key) as Buffer;
    const store = await stores.open((await getActiveStore(db.query)) ?? "fs");
    await store.put(key, single(bytes));
    await db.transaction((tx) => putBlobEntry(tx, { key, sizeBytes: bytes.byteLength, store: store.name }));
  };

  const owned = stack.move();
  return {
    db,
    stores,
    directory: directory.path,
    async start(failpoint) {
      const blobStore = (await getActiveStore(db.query)) === undefined ? ["--blob-store", "fs"] : [];
      const server = await startServer("serve", {
        dataDir: directory.join("data"),
        args: [...args, ...blobStore],
        env: { ...env, ...(failpoint ? { LARDER_FAILPOINT: failpoint } : {}) },
      });
      running.push(server);
      return server;
    },
    async api<T>(server: LarderServer, method: string, path: string, body?: unknown) {
      const answer = await fetch(`${server.url}/api${path}`, {
        method,
        headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return JSON.parse(text) as T;
    },
    async fill(count, sizeBytes) {
      const keys: BlobKey[] = [];
      for (let i = 0; i < count; i++) {
        const bytes = randomBytes(sizeBytes);
        const key = createHash("sha512").update(bytes).digest("hex") as BlobKey;
        contents.set(key, bytes);
        await putInto(key);
        keys.push(key);
      }
      await db.transaction((tx) => commitBlobs(tx, keys));
      return keys;
    },
    commit: (keys) => db.transaction((tx) => commitBlobs(tx, keys)),
    putBack: putInto,
    bytesOf: (key) => contents.get(key) as Buffer,
    fsPathOf: (key) => `${blobsDirectory}/${key.slice(0, 2)}/${key.slice(2, 4)}/${key}`,
    ended: (kind, state, timeoutMs = 30_000) =>
      until(
        `a ${kind} has ${state}`,
        async () => {
          const [latest] = (await listOperations(db.query, { limit: 10 })).filter((operation) => operation.kind === kind);
          if (latest?.state !== state) throw new Error(`It is ${JSON.stringify(latest)}`);
          return latest;
        },
        { timeoutMs, everyMs: 30 },
      ),
    async assertIndexIsTrue() {
      for (const { key, store } of await listBlobEntries(db.query, { limit: 100_000 })) {
        const found = await (await stores.open(store)).get(key);
        if (found === undefined) throw new Error(`${store} does not have ${key}`);
        for await (const _ of found.content);
      }
    },
    probe: (keys) => startProbe({ db, stores, keys }),
    stopS3: () => s3.stop(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function startProbe({ db, stores, keys }: { db: Db; stores: BlobStores; keys: readonly BlobKey[] }): { stop(): Promise<number> } {
  let stopping = false;
  const reader = createBlobReader({ db, stores, logger: silentLogger });
  const loop = async () => {
    let reads = 0;
    do {
      const rows = new Map((await listBlobEntries(db.query, { limit: 100_000 })).map((row) => [row.key, row]));
      for (const key of keys) {
        const row = rows.get(key);
        if (row === undefined) throw new Error(`There is no row of ${key}.`);
        if ((await reader.read(row)) === undefined) throw new Error(`No store has ${key}.`);
        reads += 1;
      }
    } while (!stopping);
    return reads;
  };
  const running = loop();
  running.catch(() => {});
  return {
    async stop() {
      stopping = true;
      const reads = await running;
      await reader[Symbol.asyncDispose]();
      return reads;
    },
  };
}

const s3OptionsOf = ({ endpoint, bucket, credentials }: S3Server) => ({
  bucket,
  endpoint,
  region: "us-east-1",
  pathStyle: true,
  credentials,
});

/** Returns when it has stopped itself. */
export async function isAsleep({ pid }: LarderServer): Promise<void> {
  await until("it sleeps", async () => / T /.test((await readFile(`/proc/${pid}/stat`, "utf8")).slice(0, 60)), {
    timeoutMs: 20_000,
  });
}

/** One bit in the middle. */
export async function flipBit(path: string): Promise<void> {
  const bytes = await readFile(path);
  const at = bytes.byteLength >> 1;
  bytes[at] = (bytes[at] as number) ^ 1;
  await writeFile(path, bytes, { mode: 0o644 });
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
