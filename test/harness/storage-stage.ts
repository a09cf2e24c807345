import { createHash, randomBytes } from "node:crypto";
import { type BlobStores, createBlobStores } from "../../src/blobs/index.ts";
import {
  type AuditInput,
  type BlobKey,
  type CollectInput,
  canonicalJson,
  collectInputSchema,
  defaultEnvironment,
  type ExactVersion,
  hasCode,
  type Integrity,
  integrityOf,
  LarderError,
  type LockfileHash,
  type Manifest,
  type MigrateInput,
  migrateInputSchema,
  type OperationKind,
  type OperationOf,
  type OperationResult,
  type PackageName,
  type Progress,
  type SignedDesiredState,
} from "../../src/contract/index.ts";
import {
  claimNextOperation,
  commitGeneration,
  type Db,
  type Election,
  ensureActiveStore,
  finishOperation,
  getActiveStore,
  interruptOrphanedOperations,
  openDatabase,
  putBlobEntry,
  putManifest,
  type Queryable,
  tryElect,
} from "../../src/db/index.ts";
import { createPackumentCache } from "../../src/gateway/index.ts";
import { armFailpoints, silentLogger } from "../../src/lib/index.ts";
import type { RegistryClient } from "../../src/npm/index.ts";
import {
  createAuditHandler,
  createCollectHandler,
  createMigrateHandler,
  type OperationHandler,
  requestAudit,
  requestCollection,
  requestMigration,
} from "../../src/operations/index.ts";
import { type FaultyStore, openFaultyStore } from "./faulty-store.ts";

type StoreKind = Exclude<OperationKind, "install" | "stock">;
export type StoreRequest = { kind: "migrate"; target: string } | { kind: "collect"; graceMs: number };

export type StagedOperation<Kind extends OperationKind> =
  | { ok: true; result: OperationResult<Kind>; operation: OperationOf<Kind>; progress: Progress[] }
  | { ok: false; error: LarderError; operation: OperationOf<Kind>; progress: Progress[] };

/** Thrown by a failpoint: the process is gone, and nothing of it runs on. */
export class SimulatedCrash extends Error {}

/** What operations on all blobs touch, in this process: a database, stores in memory that can be made to fail, and an election for each operation. */
export interface StorageStage extends AsyncDisposable {
  db: Db;
  stores: Record<string, FaultyStore>;
  access: BlobStores;
  /** Puts a blob into the active store and records it, as an install does. */
  addBlob(bytes?: Uint8Array): Promise<BlobKey>;
  /** A generation with these blobs, as an install would commit it. */
  commit(...keys: BlobKey[]): Promise<number>;
  migrate(input: Partial<MigrateInput> & { target: string }, signal?: AbortSignal): Promise<StagedOperation<"migrate">>;
  collect(input?: Partial<CollectInput>): Promise<StagedOperation<"collect">>;
  audit(input?: Partial<AuditInput>): Promise<StagedOperation<"audit">>;
  /** What the next elected replica does after a crash: takes up what was left, and runs all that is queued. How each ended. */
  recover(): Promise<StagedOperation<StoreKind>[]>;
  /** A migration or collection that sleeps at the `at`-th step, while the election passes to `meanwhile`; then it goes on. False: it had no such step. */
  sleepThrough(request: StoreRequest, at: number, meanwhile: () => Promise<void>): Promise<boolean>;
  /** The bytes as a host would get them. Throws when no store has them whole. */
  read(key: BlobKey): Promise<Uint8Array>;
}

export async function openStorageStage({
  names = ["fs", "s3", "postgres"],
  registry = noRegistry,
  database,
  election: held,
}: {
  names?: string[];
  registry?: RegistryClient;
  database?: Db;
  /** Of `database`, when somebody holds it for as long as this stage lasts. */
  election?: Election;
} = {}): Promise<StorageStage> {
  await using stack = new AsyncDisposableStack();
  const db = database ?? stack.use(await openDatabase({ memory: true }));
  const stores = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await openFaultyStore(name)] as const)));
  const access = createBlobStores(Object.fromEntries(names.map((name) => [name, async () => stores[name] as FaultyStore])));
  await ensureActiveStore(db.query, names[0] as string);
  const options = { db, stores: access, logger: silentLogger };
  const handlers = {
    migrate: createMigrateHandler(options),
    collect: createCollectHandler(options),
    audit: createAuditHandler({ ...options, registry: { registry, cache: createPackumentCache() } }),
  };

  async function run<Kind extends StoreKind>(kind: Kind, signal?: AbortSignal): Promise<StagedOperation<Kind>> {
    await using own = held ? undefined : await tryElect(db);
    const election = held ?? own;
    if (!election) throw new Error("Somebody else is elected.");
    await db.transaction((tx) => interruptOrphanedOperations(tx, election.epoch));
    const ended = await runNext(election, signal);
    if (ended?.operation.kind !== kind) throw new Error(`${ended?.operation.kind} was next, not ${kind}.`);
    return ended as unknown as StagedOperation<Kind>;
  }

  async function runNext({ epoch, signal }: Election, cancel = signal): Promise<StagedOperation<StoreKind> | undefined> {
    const next = await claimNextOperation(db.query, epoch);
    if (next === undefined) return undefined;
    if (next.kind === "install" || next.kind === "stock") throw new Error("There are no installs here.");
    const { id } = next;
    const operation = next as OperationOf<StoreKind>;
    const progress: Progress[] = [];
    const handler = handlers[next.kind] as unknown as OperationHandler<StoreKind>;
    const report = (step: Progress) => void progress.push(step);
    try {
      const result = await handler({ operation, epoch, signal: cancel, report });
      await finishOperation(db.query, { id, epoch, outcome: { state: "succeeded", result } });
      return { ok: true, result, operation, progress };
    } catch (thrown) {
      if (thrown instanceof SimulatedCrash) throw thrown;
      const error = LarderError.from(thrown);
      const state = hasCode(error, "E_CANCELLED") ? "cancelled" : "failed";
      await finishOperation(db.query, { id, epoch, outcome: { state, error: error.toBody() } });
      return { ok: false, error, operation, progress };
    }
  }

  const owned = stack.move();
  return {
    db,
    stores,
    access,
    async addBlob(bytes = randomBytes(200)) {
      const key = createHash("sha512").update(bytes).digest("hex") as BlobKey;
      const store = await access.open((await getActiveStore(db.query)) ?? "none");
      await store.put(key, single(bytes));
      await db.transaction((tx) => putBlobEntry(tx, { key, sizeBytes: bytes.byteLength, store: store.name }));
      return key;
    },
    commit: (...keys) => db.transaction((tx) => commitBlobs(tx, keys)),
    async migrate(input, signal) {
      await requestMigration(db, { input: migrateInputSchema.parse(input), requestedBy: "test" });
      return await run("migrate", signal);
    },
    async collect(input = {}) {
      await requestCollection(db, { input: collectInputSchema.parse(input), requestedBy: "test" });
      return await run("collect");
    },
    async recover() {
      const election = await tryElect(db);
      if (!election) throw new Error("Somebody else is elected.");
      await using _election = election;
      await db.transaction((tx) => interruptOrphanedOperations(tx, election.epoch));
      const ended: StagedOperation<StoreKind>[] = [];
      for (let next = await runNext(election); next; next = await runNext(election)) ended.push(next);
      return ended;
    },
    async sleepThrough({ kind, ...input }, at, meanwhile) {
      if (kind === "migrate") await requestMigration(db, { input: migrateInputSchema.parse(input), requestedBy: "test" });
      else await requestCollection(db, { input: collectInputSchema.parse(input), requestedBy: "test" });
      const election = await tryElect(db);
      if (!election) throw new Error("Somebody else is elected.");
      let steps = 0;
      armFailpoints(async (name) => {
        // In a transaction: nobody else could do anything meanwhile.
        if (name === "collect:marked" || ++steps !== at) return;
        armFailpoints(undefined);
        await election[Symbol.asyncDispose]();
        await meanwhile();
      });
      try {
        await runNext(election);
      } finally {
        armFailpoints(undefined);
        await election[Symbol.asyncDispose]();
      }
      return steps >= at;
    },
    async audit(input = {}) {
      const since = new Date(Date.now() + 1000).toISOString();
      await requestAudit(db, { input: { since, parallel: 4, ...input }, requestedBy: "test" });
      return await run("audit");
    },
    async read(key) {
      for (const store of Object.values(stores)) {
        const bytes = await wholeCopy(store, key);
        if (bytes) return bytes;
      }
      throw new Error(`No store has ${key}.`);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** `undefined`: absent or damaged. */
export async function wholeCopy(store: FaultyStore, key: BlobKey): Promise<Uint8Array | undefined> {
  try {
    const found = await store.get(key);
    return found && Buffer.concat(await Array.fromAsync(found.content));
  } catch (error) {
    if (hasCode(error, "E_BLOB_CORRUPT")) return undefined;
    throw error;
  }
}

/** A generation with these blobs, as an install would commit it. */
export async function commitBlobs(tx: Queryable, keys: readonly BlobKey[]): Promise<number> {
  const version = "1.0.0" as ExactVersion;
  const nodes: Manifest["nodes"] = {};
  const roots: Manifest["roots"] = {};
  for (const key of [...keys].sort()) {
    const name = `p${key.slice(0, 12)}` as PackageName;
    nodes[`${name}@${version}`] = { name, version, integrity: integrityOf(key), dependencies: {} };
    roots[name] = `${name}@${version}`;
  }
  const body = canonicalJson({ format: 1, roots, nodes } satisfies Manifest);
  const lockfileHash = createHash("sha256").update(body).digest("hex") as LockfileHash;
  const digest = `sha512-${createHash("sha512").update(body).digest("base64")}` as Integrity;
  await putManifest(tx, { lockfileHash, digest, body, lockfile: "", nodes: keys.length, blobs: keys });
  const outcome = await commitGeneration(tx, {
    environment: defaultEnvironment,
    lockfileHash,
    nodes: keys.length,
    packages: [],
    createdBy: "test",
    reason: "install",
    sign: async (generation) =>
      ({ desired: { environment: defaultEnvironment, generation }, keyId: "k", signature: "s" }) as unknown as SignedDesiredState,
  });
  if (outcome.kind !== "committed") throw new Error(outcome.kind);
  return outcome.generation.number;
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const noRegistry: RegistryClient = {
  packument: async () => ({ kind: "absent" }),
  tarball: () => {
    throw new Error("There is no registry here.");
  },
} as unknown as RegistryClient;
