import type { BlobStore, BlobStores } from "../../blobs/index.ts";
import { type BlobKey, hasCode, LarderError } from "../../contract/index.ts";
import { assertEpoch, type BlobEntry, type Db, moveBlobEntry, quarantineBlob } from "../../db/index.ts";
import { backoffMs, failpoint, sleep } from "../../lib/index.ts";
import { limited, type RateLimit } from "../rate-limit.ts";
import { readCopy } from "../read-copy.ts";

export interface MoveOptions {
  db: Db;
  stores: BlobStores;
  target: BlobStore;
  epoch: number;
  limit: RateLimit;
  signal: AbortSignal;
}

/** `gone`: it is no longer recorded where it was; whoever changed that knows why. `unreadable`: no store has it whole. */
export type Moved = { kind: "copied" | "alreadyThere" | "gone" } | { kind: "unreadable"; error: LarderError };

const attempts = 5;
/** What is torn when it is read back is put once more; a store that does it again is not to be trusted with the rest. */
const putsPerBlob = 2;

/**
 * One blob: copy, read back, hash, and only then its row. What the target had already is read and hashed as well, and replaced when it is not right. Throws what
 * keeps the target, or all sources, from being used at all, after some patience.
 */
export async function moveBlob(entry: BlobEntry, options: MoveOptions): Promise<Moved> {
  const { db, target, epoch } = options;
  const { key, store: from } = entry;
  let puts = 0;
  for (let state = await readTarget(key, options); state !== "whole"; state = await readTarget(key, options)) {
    if (puts === putsPerBlob) throw targetLoses(target.name, key, state);
    const error = await copyFromAnySource(entry, options);
    if (error !== undefined) return { kind: "unreadable", error };
    puts += 1;
    await failpoint("migrate:after-put");
  }
  await failpoint("migrate:after-read-back");
  const moved = await db.transaction(async (tx) => {
    const done = await moveBlobEntry(tx, { key, from, to: target.name, epoch });
    if (!done) await assertEpoch(tx, epoch);
    return done;
  });
  await failpoint("migrate:after-row");
  if (!moved) return { kind: "gone" };
  return { kind: puts === 0 ? "alreadyThere" : "copied" };
}

const readTarget = (key: BlobKey, options: MoveOptions) =>
  patiently(() => readCopy(options.target, key, options), options.signal);

/** `undefined`: it is on the target. Otherwise what is wrong with it everywhere. */
async function copyFromAnySource(entry: BlobEntry, options: MoveOptions): Promise<LarderError | undefined> {
  const { stores, target } = options;
  let recorded: LarderError | undefined;
  let unavailable: { error: unknown } | undefined;
  for (const name of [entry.store, ...stores.names.filter((name) => name !== entry.store && name !== target.name)]) {
    const outcome = await patiently(() => copyFrom(name, entry, options), options.signal).catch((error: unknown) => {
      if (!(error instanceof SourceUnavailable)) throw error;
      unavailable ??= { error: error.cause };
      return undefined;
    });
    if (outcome === "copied") return undefined;
    recorded ??= outcome;
  }
  // A store that does not answer says nothing of the blob: that is not the blob's fault.
  if (unavailable) throw unavailable.error;
  return recorded ?? new LarderError("E_BLOB_MISSING", `No blob store has ${entry.key}.`);
}

/** That a source cannot be asked now. */
class SourceUnavailable extends Error {}

async function copyFrom(name: string, { key, store }: BlobEntry, options: MoveOptions): Promise<"copied" | LarderError> {
  const { db, stores, target, limit, signal } = options;
  let failure: { error: unknown } | undefined;
  const fromSource = async function* () {
    try {
      const source = await stores.open(name);
      const found = await source.get(key, { signal });
      if (found === undefined) throw new LarderError("E_BLOB_MISSING", `The blob store ${name} does not have it.`);
      yield* limited(found.content, limit, signal);
    } catch (error) {
      failure = { error };
      throw error;
    }
  };
  try {
    await target.put(key, fromSource(), { signal });
    return "copied";
  } catch (error) {
    if (failure === undefined || signal.aborted) throw error;
    const source = failure.error;
    if (hasCode(source, "E_BLOB_MISSING", "E_BLOB_CORRUPT")) {
      const reason = source.code === "E_BLOB_MISSING" ? "missing" : "corrupt";
      // Whether some other store has a copy is not this one's damage.
      if (reason === "corrupt" || name === store) await quarantineBlob(db.query, { key, store: name, reason });
      return source;
    }
    throw new SourceUnavailable("a source cannot be read", { cause: source });
  }
}

/** Repeats what fails for a while only: a throttled or restarting store. */
async function patiently<T>(step: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await step();
    } catch (error) {
      const cause = error instanceof SourceUnavailable ? error.cause : error;
      const passing = cause instanceof LarderError && cause.retryable && !hasCode(cause, "E_FENCED", "E_INTERRUPTED");
      if (!passing || attempt === attempts || signal.aborted) throw error;
      await sleep(backoffMs(attempt, { baseMs: 100, maxMs: 5000 }), signal);
    }
  }
}

const targetLoses = (name: string, key: BlobKey, state: string): LarderError =>
  new LarderError("E_STORE_UNAVAILABLE", `The blob store ${name} took blob ${key}, and it is ${state} when it is read back.`, {
    hint: "Check the disk or the service behind it.",
    details: { blob: key },
  });
