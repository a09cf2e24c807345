import { LRUCache } from "lru-cache";
import { type BlobKey, hasCode, LarderError } from "../contract/index.ts";
import { type BlobEntry, type Db, getBlobEntry, getQuarantinedStores, quarantineBlob, releaseBlob } from "../db/index.ts";
import type { Logger } from "../lib/index.ts";
import type { BlobStore, GetOptions, StoredBlob } from "./blob-store.ts";
import type { BlobStores } from "./blob-stores.ts";

/** What the index says of a blob. */
type Recorded = Pick<BlobEntry, "key" | "store" | "sizeBytes">;

export interface ReadOptions extends GetOptions {
  /** Stores whose copy is in quarantine, for those who read many blobs and have asked once. Absent: asks. */
  bad?: readonly string[] | undefined;
}

/**
 * Reads blobs wherever a good copy is: the recorded store first, then the others. A copy that is found damaged or gone is quarantined, which means that
 * nobody reads it again, and mended from another store behind the reader's back; what no store has whole, the next install fetches again.
 */
export interface BlobReader extends AsyncDisposable {
  /**
   * `undefined`: no store has it. Damage that shows only in the middle fails the content with `E_BLOB_CORRUPT`; asking again gets another copy. Throws what
   * keeps the stores from being asked if none of the others has it.
   */
  get(blob: Recorded, options?: ReadOptions): Promise<StoredBlob | undefined>;
  /** All of it, from the first store that has it whole, or as it was read a moment ago: not to be written to. For what is known to be small. */
  read(blob: Recorded, options?: Pick<ReadOptions, "signal" | "bad">): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Where the recorded copy may be had without us, if its store gives out such links and nothing is known against that copy. */
  link(blob: Recorded): Promise<string | undefined>;
}

/** A copy that could not be mended is tried again by reads after this. */
const retryMs = 60_000;

/** Of blobs that were read and found right a moment ago: after a change, every host asks for the same few. */
const recentBytes = 64 * 1024 * 1024;

export function createBlobReader({ db, stores, logger }: { db: Db; stores: BlobStores; logger: Logger }): BlobReader {
  const mending = new Map<string, Promise<void>>();
  const triedAt = new Map<string, number>();
  const recent = new LRUCache<BlobKey, Uint8Array<ArrayBuffer>>({
    maxSize: recentBytes,
    // None gets all of the room.
    maxEntrySize: recentBytes / 4,
    sizeCalculation: ({ length }) => Math.max(1, length),
  });
  const stopping = new AbortController();

  const condemn = async ({ key, store: recordedIn }: Recorded, store: string, reason: "corrupt" | "missing"): Promise<void> => {
    // The row may have moved on since it was read: then the copy was rightly removed.
    if (reason === "missing" && (await getBlobEntry(db.query, key))?.store !== store) return;
    await quarantineBlob(db.query, { key, store, reason });
    logger.error({ blob: key, store, reason }, "a stored blob is bad; it is not read again until it is mended");
    if (store === recordedIn) mend(key, store);
  };

  const mend = (key: BlobKey, store: string): void => {
    const label = `${store} ${key}`;
    if (mending.has(label) || stopping.signal.aborted) return;
    if (performance.now() - (triedAt.get(label) ?? Number.NEGATIVE_INFINITY) < retryMs) return;
    triedAt.set(label, performance.now());
    const work = mendCopy({ db, stores, key, store, signal: stopping.signal })
      .then((from) => {
        if (from === undefined)
          logger.error({ blob: key, store }, "no other store has the blob: `larder install` fetches it again");
        else {
          triedAt.delete(label);
          logger.info({ blob: key, store, from }, "a bad blob was mended");
        }
      })
      .catch((error: unknown) => logger.warn({ err: error, blob: key, store }, "a bad blob could not be mended now"))
      .finally(() => mending.delete(label));
    mending.set(label, work);
  };

  const candidates = async ({ key, store }: Recorded, known?: readonly string[]): Promise<string[]> => {
    const bad = known ?? (await getQuarantinedStores(db.query, [key])).get(key) ?? [];
    // What could not be mended when it was found may be by now.
    if (bad.includes(store)) mend(key, store);
    return [store, ...stores.names.filter((name) => name !== store)].filter(
      (name) => stores.names.includes(name) && !bad.includes(name),
    );
  };

  const getFrom = async (names: readonly string[], blob: Recorded, options: GetOptions): Promise<StoredBlob | undefined> => {
    let trouble: unknown;
    for (const name of names) {
      try {
        const store = await stores.open(name);
        const found = await store.get(blob.key, options);
        if (found?.sizeBytes === blob.sizeBytes) {
          return { ...found, content: watched(found.content, () => condemn(blob, name, "corrupt")) };
        }
        if (found !== undefined) await condemn(blob, name, "corrupt");
        else if (name === blob.store) await condemn(blob, name, "missing");
      } catch (error) {
        options.signal?.throwIfAborted();
        if (hasCode(error, "E_INPUT")) throw error;
        trouble ??= error;
        logger.warn({ err: error, store: name }, "a blob store cannot be read; trying the others");
      }
    }
    if (trouble !== undefined) throw trouble;
    return undefined;
  };

  const readFrom = async (names: readonly string[], blob: Recorded, signal: AbortSignal | undefined) => {
    let damage: unknown;
    // Each round that fails has taken one store out.
    for (let round = 0; ; round++) {
      const found = await getFrom(round === 0 ? names : await candidates(blob), blob, { signal });
      if (found === undefined && damage !== undefined) throw damage;
      if (found === undefined) return undefined;
      try {
        const chunks: Uint8Array[] = [];
        for await (const chunk of found.content) chunks.push(chunk);
        return chunks.length === 1 ? (chunks[0] as Uint8Array<ArrayBuffer>) : Buffer.concat(chunks);
      } catch (error) {
        if (!hasCode(error, "E_BLOB_CORRUPT", "E_BLOB_MISSING") || round >= stores.names.length) throw error;
        damage = error;
      }
    }
  };

  return {
    get: async (blob, { bad, ...options } = {}) => getFrom(await candidates(blob, bad), blob, options),
    async read(blob, { signal, bad } = {}) {
      const known = recent.get(blob.key);
      if (known !== undefined) return known;
      const bytes = await readFrom(await candidates(blob, bad), blob, signal);
      if (bytes !== undefined) recent.set(blob.key, bytes);
      return bytes;
    },
    async link(blob) {
      if ((await candidates(blob))[0] !== blob.store) return undefined;
      return await (await stores.open(blob.store)).link(blob.key);
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new LarderError("E_INTERRUPTED", "The control plane is stopping.", { retryable: true }));
      await Promise.all(mending.values());
    },
  };
}

async function* watched(content: AsyncIterable<Uint8Array>, onCorrupt: () => Promise<void>): AsyncGenerator<Uint8Array> {
  try {
    yield* content;
  } catch (error) {
    if (hasCode(error, "E_BLOB_CORRUPT")) await onCorrupt();
    throw error;
  }
}

interface Mending {
  db: Db;
  stores: BlobStores;
  key: BlobKey;
  store: string;
  signal: AbortSignal;
}

/** The name of the store that had a good copy. What a put takes was hashed, and so was what it put down before anyone is told. */
async function mendCopy({ db, stores, key, store, signal }: Mending): Promise<string | undefined> {
  const target = await stores.open(store);
  const bad = (await getQuarantinedStores(db.query, [key])).get(key) ?? [];
  for (const name of stores.names.filter((other) => other !== store && !bad.includes(other))) {
    const found = await goodCopy(await stores.open(name).catch(() => undefined), key, signal);
    if (found === undefined) continue;
    try {
      await target.put(key, found.content, { sizeBytes: found.sizeBytes, signal });
    } catch (error) {
      // That copy is bad too: whoever reads it next will say so.
      if (hasCode(error, "E_BLOB_CORRUPT", "E_BLOB_MISSING", "E_INTEGRITY")) continue;
      throw error;
    }
    const back = await target.get(key, { signal });
    if (back === undefined) return undefined;
    for await (const _ of back.content) signal.throwIfAborted();
    await releaseBlob(db.query, { key, store });
    return name;
  }
  return undefined;
}

const goodCopy = async (store: BlobStore | undefined, key: BlobKey, signal: AbortSignal): Promise<StoredBlob | undefined> =>
  await store?.get(key, { signal }).catch(() => undefined);
