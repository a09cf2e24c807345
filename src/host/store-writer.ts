import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { LarderError } from "../contract/for-hosts.ts";
import { acquireDirectoryLock, Mutex, sleep, undefinedOn } from "../lib/index.ts";
import { describeDiskErrors } from "./disk-error.ts";
import type { Donors } from "./donors.ts";
import type { HostStore } from "./host-store.ts";
import { manifestsFolder } from "./kept-manifest.ts";
import type { StoreLayout } from "./layout.ts";
import { forgetCondemned } from "./lease-files.ts";
import { type FileSystemTraits, probeFileSystem } from "./probe-file-system.ts";
import { settleIfEmpty } from "./settle.ts";
import { readPlatform, writePlatform } from "./state.ts";
import type { KnownTrees } from "./tree-packages.ts";

export interface WriterMemory {
  donors?: Donors;
  readonly trees: KnownTrees;
}

/** The right to change a store; one exists per store, across processes, and it dies with its holder. */
export interface StoreWriter extends AsyncDisposable {
  readonly store: HostStore;
  readonly traits: FileSystemTraits;
  /** What builds of this writer have learned of the store. */
  readonly memory: WriterMemory;
  /** Runs builds, flips and sweeps of this writer one after the other: none sees another's half-done work. */
  exclusive<T>(task: () => Promise<T>): Promise<T>;
}

/**
 * Waits up to `waitMs` (default 0) for the lock, then throws `E_LOCKED` naming its holder. Clears what a killed writer left in `incoming/` and `state/`.
 */
export async function openStoreWriter(
  store: HostStore,
  { purpose, waitMs = 0, signal }: { purpose: string; waitMs?: number; signal?: AbortSignal },
): Promise<StoreWriter> {
  const { layout } = store;
  const deadline = performance.now() + waitMs;
  for (;;) {
    const attempt = await describeDiskErrors(layout.directory, () => lockDirectory(layout, purpose));
    if (attempt.kind === "acquired") return preparedWriter(store, attempt.lock);
    if (performance.now() >= deadline) {
      const { pid, hostname, purpose: theirs, since } = attempt.by;
      throw new LarderError(
        "E_LOCKED",
        `${layout.directory} is in use: ${theirs} (process ${pid} on ${hostname}, since ${since}).`,
        {
          hint: "Wait until it ends, or stop it.",
          retryable: true,
          details: { path: layout.directory, holder: { ...attempt.by } },
        },
      );
    }
    await sleep(50, signal);
  }
}

async function lockDirectory(layout: StoreLayout, purpose: string) {
  try {
    return await acquireDirectoryLock(layout.directory, { purpose });
  } catch (error) {
    // A file system without links fails here, with an error that says nothing of them.
    probeFileSystem(layout);
    throw error;
  }
}

async function preparedWriter(store: HostStore, lock: AsyncDisposable): Promise<StoreWriter> {
  const { layout } = store;
  const mutex = new Mutex();
  let traits: FileSystemTraits;
  try {
    traits = await describeDiskErrors(layout.directory, async () => {
      await Promise.all([
        emptyFolder(layout.incoming),
        removeDrafts(layout.state),
        removeDrafts(manifestsFolder(store)),
        forgetCondemned(layout),
      ]);
      const found = probeFileSystem(layout);
      if ((await readPlatform(layout)) === undefined) await writePlatform(layout, store.platform);
      await settleIfEmpty(layout);
      return found;
    });
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
  return {
    store,
    traits,
    memory: { trees: new Map() },
    exclusive: (task) => mutex.run(task),
    [Symbol.asyncDispose]: () => mutex.run(async () => lock[Symbol.asyncDispose]()),
  };
}

async function emptyFolder(folder: string): Promise<void> {
  for (const entry of await readdir(folder)) await rm(join(folder, entry), { recursive: true, force: true });
}

/** Files that an atomic write had not renamed yet. */
async function removeDrafts(folder: string): Promise<void> {
  const entries = (await undefinedOn(["ENOENT"], readdir(folder))) ?? [];
  for (const entry of entries) if (/^\..*\.tmp$/.test(entry)) await rm(join(folder, entry), { force: true });
}
