import type { BlobStores } from "../../blobs/index.ts";
import type { BlobKey } from "../../contract/index.ts";
import { type BlobEntry, type Db, getBlobEntries, getQuarantinedStores } from "../../db/index.ts";
import { mapConcurrent } from "../../lib/index.ts";

const parallel = 12;

interface Sources {
  db: Db;
  stores: BlobStores;
}

/** How large each blob is in the store that its row names; absent where it is not there. */
export interface SeenBlobs {
  /** When the first was looked at, by `performance.now`. */
  sinceMs: number;
  blobs: ReadonlyMap<BlobKey, { store: string; sizeBytes: number }>;
}

/** Longer ago, and a disk may have been changed by hand meanwhile. */
const freshForMs = 5_000;

/**
 * The rows of those of `keys` of which a store has a copy that looks right and was not found bad: an install fetches the others, also to mend what was lost. What was
 * `seen` a moment ago, under this election, is not asked about again.
 */
export async function heldBlobs(
  { db, stores }: Sources,
  keys: readonly BlobKey[],
  seen?: SeenBlobs,
): Promise<Map<BlobKey, BlobEntry>> {
  const entries = await getBlobEntries(db.query, keys);
  const bad = await getQuarantinedStores(db.query, [...entries.keys()]);
  const isFresh = seen !== undefined && performance.now() - seen.sinceMs < freshForMs;
  const isHeld = async (entry: BlobEntry): Promise<boolean> => {
    const isGood = (name: string) => !bad.get(entry.key)?.includes(name);
    const known = isFresh ? seen.blobs.get(entry.key) : undefined;
    if (known?.store === entry.store && known.sizeBytes === entry.sizeBytes && isGood(entry.store)) return true;
    const others = stores.names.filter((name) => name !== entry.store);
    const candidates = stores.names.includes(entry.store) ? [entry.store, ...others] : others;
    for (const name of candidates.filter(isGood)) {
      const found = await headIn(stores, name, entry);
      if (found?.sizeBytes === entry.sizeBytes) return true;
    }
    return false;
  };
  await mapConcurrent([...entries.values()], { limit: parallel }, async (entry) => {
    if (!(await isHeld(entry))) entries.delete(entry.key);
  });
  return entries;
}

/** Looks for them where their rows say that they are. A store that does not answer has nothing: whoever needs it asks again, and fails then. */
export async function seeBlobs({ db, stores }: Sources, keys: readonly BlobKey[]): Promise<SeenBlobs> {
  const sinceMs = performance.now();
  const blobs = new Map<BlobKey, { store: string; sizeBytes: number }>();
  try {
    const entries = await getBlobEntries(db.query, keys);
    await mapConcurrent([...entries.values()], { limit: parallel }, async ({ key, store }) => {
      const found = stores.names.includes(store) ? await (await stores.open(store)).head(key) : undefined;
      if (found) blobs.set(key, { store, sizeBytes: found.sizeBytes });
    });
  } catch {
    // A look ahead, and nothing more.
  }
  return { sinceMs, blobs };
}

/** A store that the blob is not recorded in need not answer. */
async function headIn(stores: BlobStores, name: string, { key, store }: BlobEntry): Promise<{ sizeBytes: number } | undefined> {
  try {
    return await (await stores.open(name)).head(key);
  } catch (error) {
    if (name === store) throw error;
    return undefined;
  }
}
