import { mkdir, readdir } from "node:fs/promises";
import { type BlobStore, createBlobStores, openBlobStore } from "../../src/blobs/index.ts";
import {
  defaultEnvironment,
  desiredStateFormat,
  generateSigningKey,
  type InstallResult,
  LarderError,
  type Operation,
  type OperationKind,
  type OperationResult,
  type Progress,
  parseExactVersion,
  parsePackageName,
  type StockResult,
  signDesiredState,
} from "../../src/contract/index.ts";
import {
  claimNextOperation,
  type Db,
  type Election,
  ensureActiveStore,
  finishOperation,
  openDatabase,
  removePackage,
  tryElect,
  upsertPackages,
} from "../../src/db/index.ts";
import { createPackumentCache } from "../../src/gateway/index.ts";
import { detectPlatform } from "../../src/host/index.ts";
import { silentLogger, systemClock } from "../../src/lib/index.ts";
import { createRegistryClient, type RegistryClient } from "../../src/npm/index.ts";
import {
  createInstallHandler,
  createStockHandler,
  type DesiredStateSigner,
  type InstallOptions,
  type OperationHandler,
  requestInstall,
  requestStock,
} from "../../src/operations/index.ts";
import type { FixturePackage } from "./fixture-package.ts";
import { type FixtureRegistry, openFixtureRegistry } from "./fixture-registry.ts";
import { openTempDir } from "./temp-dir.ts";

type Staged<Result> =
  | { ok: true; result: Result; operation: Operation; progress: Progress[] }
  | { ok: false; error: LarderError; operation: Operation; progress: Progress[] };
export type StagedInstall = Staged<InstallResult>;

/** `signal` ends the install as a cancelled operation's does. */
export type StageOverrides = Partial<InstallOptions> & { signal?: AbortSignal; blobs?: BlobStore };

/** All that an install touches, in this process: a database in memory, blobs on disk, a fixture registry, and one election for as long as it lasts. */
export interface InstallStage extends AsyncDisposable {
  directory: string;
  registry: FixtureRegistry;
  db: Db;
  blobs: BlobStore;
  signer: DesiredStateSigner;
  election: Election;
  /** Pins packages: `name@version`. */
  allow(...pins: string[]): Promise<void>;
  disallow(...names: string[]): Promise<void>;
  /** Queues an install, runs it to its end, and says how it ended. Nothing is remembered between two: each has its own packument cache. */
  install(overrides?: StageOverrides): Promise<StagedInstall>;
  /** `install`, which must succeed. */
  installed(overrides?: StageOverrides): Promise<InstallResult>;
  /** Runs the stocking that is queued, or one that it queues. */
  stock(overrides?: StageOverrides): Promise<Staged<StockResult>>;
  /** As installs use it. */
  client(): RegistryClient;
  /** Names in the scratch directory. */
  scratch(): Promise<string[]>;
}

export async function openInstallStage(packages: readonly FixturePackage[]): Promise<InstallStage> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await openTempDir("install"));
  const registry = stack.use(await openFixtureRegistry(packages));
  const db = stack.use(await openDatabase({ memory: true }));
  const blobs = stack.use(await openBlobStore({ driver: "fs", directory: directory.join("blobs") }));
  await ensureActiveStore(db.query, blobs.name);
  const election = await tryElect(db);
  if (election === undefined) throw new Error("A fresh database has an election already.");
  const signer = await createTestSigner();
  const scratchDirectory = directory.join("scratch");
  const client = () => createRegistryClient({ registry: new URL(registry.url), backoffBaseMs: 1 });
  const options = (): Omit<InstallOptions, "stores"> => ({
    db,
    registry: client(),
    cache: createPackumentCache(),
    signer,
    scratchDirectory,
    platforms: [detectPlatform()],
    bunPath: process.execPath,
    clock: systemClock,
    logger: silentLogger,
  });

  const run = async (
    kind: "install" | "stock",
    { signal = election.signal, blobs: otherBlobs = blobs, ...overrides }: StageOverrides = {},
  ): Promise<Staged<OperationResult>> => {
    await requests[kind](db, { environment: defaultEnvironment, requestedBy: "test" });
    const operation = await claimNextOperation(db.query, election.epoch);
    if (operation?.kind !== kind) throw new Error(`The ${kind} was not queued.`);
    const progress: Progress[] = [];
    const report = (step: Progress) => void progress.push(step);
    const finish = { id: operation.id, epoch: election.epoch };
    const stores = createBlobStores({ fs: async () => otherBlobs });
    // Each kind has its own handler, which takes its own operations.
    const handler = handlers[kind]({ ...options(), stores, ...overrides }) as OperationHandler<OperationKind>;
    try {
      const result = await handler({ operation, epoch: election.epoch, signal, report });
      await finishOperation(db.query, { ...finish, outcome: { state: "succeeded", result } });
      return { ok: true, result, operation, progress };
    } catch (thrown) {
      const error = LarderError.from(thrown);
      await finishOperation(db.query, { ...finish, outcome: { state: "failed", error: error.toBody() } });
      return { ok: false, error, operation, progress };
    }
  };
  const install = (overrides?: StageOverrides) => run("install", overrides) as Promise<StagedInstall>;

  const owned = stack.move();
  return {
    directory: directory.path,
    registry,
    db,
    blobs,
    signer,
    election,
    install,
    stock: (overrides) => run("stock", overrides) as Promise<Staged<StockResult>>,
    client,
    async allow(...pins) {
      const parsed = pins.map((pin) => {
        const at = pin.lastIndexOf("@");
        return { name: parsePackageName(pin.slice(0, at)), version: parseExactVersion(pin.slice(at + 1)) };
      });
      await db.transaction((tx) => upsertPackages(tx, defaultEnvironment, { pins: parsed, addedBy: "test" }));
    },
    async disallow(...names) {
      for (const name of names) await db.transaction((tx) => removePackage(tx, defaultEnvironment, parsePackageName(name)));
    },
    async installed(overrides) {
      const outcome = await install(overrides);
      if (!outcome.ok)
        throw new Error(`The install failed with ${outcome.error.code}: ${outcome.error.message}`, { cause: outcome.error });
      return outcome.result;
    },
    async scratch() {
      await mkdir(scratchDirectory, { recursive: true });
      return await readdir(scratchDirectory);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const requests = { install: requestInstall, stock: requestStock };
const handlers = { install: createInstallHandler, stock: createStockHandler };

async function createTestSigner(): Promise<DesiredStateSigner> {
  const key = await generateSigningKey();
  const storeId = "test-store";
  return {
    storeId,
    sign(state) {
      const [issuedAt, expiresAt] = [0, 86_400_000].map((ms) => new Date(Date.now() + ms).toISOString()) as [string, string];
      return signDesiredState({ format: desiredStateFormat, storeId, ...state, issuedAt, expiresAt }, key);
    },
  };
}
