import { LRUCache } from "lru-cache";
import { readTarball } from "../../archive/index.ts";
import type { BlobReader } from "../../blobs/index.ts";
import { type BlobKey, LarderError } from "../../contract/index.ts";
import {
  type Db,
  dropPackageTypes,
  getBlobEntries,
  getBlobEntry,
  getPackageTypes,
  listPackageTypes,
  putPackageTypes,
  setTypesOutline,
} from "../../db/index.ts";
import { type Logger, Mutex } from "../../lib/index.ts";
import {
  createTypesCutter,
  formatOutline,
  type LoadedTypes,
  openParserProcess,
  outlineBundle,
  type PackedBundle,
  packBundle,
  parseBundle,
  parseOutline,
  unpackBundle,
} from "../../types/index.ts";

/** Packages' declarations by their tarballs. What is not in the database yet is cut and outlined, once, behind the caller's back when that takes long. */
export interface TypesLibrary extends AsyncDisposable {
  /** What is not ready within `waitMs` is `pending`, and goes on. Throws when a tarball cannot be read. */
  load(keys: readonly BlobKey[], options: { waitMs: number }): Promise<Map<BlobKey, LoadedTypes>>;
  /** Cuts them again; `undefined` when there is no such blob. */
  recut(key: BlobKey): Promise<PackedBundle | undefined>;
}

export interface LibraryOptions {
  db: Db;
  blobs: BlobReader;
  bunPath: string;
  logger: Logger;
}

type Ready = Extract<LoadedTypes, { kind: "ready" }>;

/** What is kept, in characters of JSON: about a tenth of what the declarations themselves come to. */
const keptCharacters = 48 << 20;

/** What is cut at one time: each holds a tarball's declarations in memory. */
const parallelCuts = 2;

export function createTypesLibrary({ db, blobs, bunPath, logger }: LibraryOptions): TypesLibrary {
  const parser = openParserProcess({ bunPath, logger });
  const cache = new LRUCache<BlobKey, Ready>({ maxSize: keptCharacters });
  const underWay = new Map<BlobKey, Promise<Ready | undefined>>();
  const turns = Array.from({ length: parallelCuts }, () => new Mutex());
  const stopping = new AbortController();
  let turn = 0;

  const recut: TypesLibrary["recut"] = async (key) => {
    const entry = await getBlobEntry(db.query, key);
    if (entry === undefined) return undefined;
    const found = await blobs.get(entry, { signal: stopping.signal });
    if (found === undefined) throw unreadable(key);
    const cutter = createTypesCutter();
    await readTarball(found.content, cutter.sink, { label: `blob ${key.slice(0, 16)}…`, signal: stopping.signal });
    const packed = await packBundle(cutter.finish());
    const types = { blobKey: key, bundleKey: packed.key, content: packed.content };
    await putPackageTypes(db.query, [types]).catch((error: unknown) => {
      // Collection took the blob meanwhile, or the database does not take anything now: what was cut is right all the same.
      logger.warn({ err: error, blob: key }, "declarations were cut and not kept");
    });
    return packed;
  };

  const outline = async (key: BlobKey): Promise<Ready | undefined> => {
    const stored = await getPackageTypes(db.query, key);
    let packed: PackedBundle | undefined = stored && { key: stored.bundleKey, content: stored.content };
    let json = packed && (await unpackBundle(packed));
    if (json === undefined) {
      if (packed) {
        logger.error({ blob: key }, "declarations in the database are damaged; cutting them again");
        await dropPackageTypes(db.query, key);
      }
      packed = await recut(key);
      json = packed && (await unpackBundle(packed));
    }
    if (packed === undefined || json === undefined) return undefined;
    const made = await outlineBundle(parseBundle(json), parser.read);
    const text = formatOutline(made);
    await setTypesOutline(db.query, { blobKey: key, bundleKey: packed.key, outline: text });
    const ready: Ready = { kind: "ready", bundle: packed.key, outline: made };
    cache.set(key, ready, { size: text.length });
    return ready;
  };

  const prepare = (key: BlobKey): Promise<Ready | undefined> => {
    const known = underWay.get(key);
    if (known) return known;
    const mutex = turns[turn++ % turns.length] as Mutex;
    const work = mutex
      .run(async () => {
        stopping.signal.throwIfAborted();
        return await outline(key);
      })
      .finally(() => underWay.delete(key));
    // Whoever asked may have gone.
    work.catch((error: unknown) => {
      if (!stopping.signal.aborted) logger.warn({ err: error, blob: key }, "declarations could not be read");
    });
    underWay.set(key, work);
    return work;
  };

  return {
    recut,
    async load(keys, { waitMs }) {
      const loaded = new Map<BlobKey, LoadedTypes>();
      for (const key of keys) {
        const cached = cache.get(key);
        if (cached) loaded.set(key, cached);
      }
      const unknown = keys.filter((key) => !loaded.has(key));
      if (unknown.length === 0) return loaded;
      for (const { blobKey, bundleKey, outline: text } of await listPackageTypes(db.query, unknown)) {
        const parsed = text === null ? undefined : parseOutline(text);
        if (text === null || parsed === undefined) continue;
        const ready: Ready = { kind: "ready", bundle: bundleKey, outline: parsed };
        cache.set(blobKey, ready, { size: text.length });
        loaded.set(blobKey, ready);
      }
      const left = unknown.filter((key) => !loaded.has(key));
      if (left.length === 0) return loaded;
      const present = await getBlobEntries(db.query, left);
      const work = left.filter((key) => present.has(key)).map(async (key) => [key, await prepare(key)] as const);
      for (const key of left) loaded.set(key, { kind: present.has(key) ? "pending" : "absent" });
      const settled = Promise.all(
        work.map(async (each) => {
          const [key, ready] = await each;
          loaded.set(key, ready ?? { kind: "absent" });
        }),
      );
      await Promise.race([settled, deadline(waitMs)]);
      settled.catch(() => undefined);
      return new Map(loaded);
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new LarderError("E_INTERRUPTED", "The control plane is stopping.", { retryable: true }));
      await parser[Symbol.asyncDispose]();
      await Promise.allSettled(underWay.values());
    },
  };
}

async function deadline(ms: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
}

const unreadable = (key: BlobKey): LarderError =>
  new LarderError("E_BLOB_MISSING", `Blob ${key.slice(0, 16)}… is recorded, but no blob store has it whole.`, {
    hint: "Run `larder install` to fetch it again.",
    retryable: true,
    details: { blob: key },
  });
