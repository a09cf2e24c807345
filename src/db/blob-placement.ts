import { and, asc, eq, gt, isNull, lt, ne, or, sql } from "drizzle-orm";
import type { BlobKey } from "../contract/index.ts";
import { type BlobEntry, blobEntryOf } from "./blob-index.ts";
import { releaseBlob } from "./blob-quarantine.ts";
import { epochHolds } from "./election.ts";
import type { Queryable } from "./queryable.ts";
import { blobs, strayBlobs } from "./schema.ts";

// Which store each blob is recorded in: what a migration changes and an audit reads through.

export interface StoreUsage {
  store: string;
  blobs: number;
  bytes: number;
}

interface Page {
  after?: BlobKey | undefined;
  limit?: number;
}

/** By name; only stores that have any. */
export async function listStoreUsage(tx: Queryable): Promise<StoreUsage[]> {
  return await tx
    .select({
      store: blobs.store,
      blobs: sql<number>`count(*)`.mapWith(Number),
      bytes: sql<number>`sum(${blobs.sizeBytes})`.mapWith(Number),
    })
    .from(blobs)
    .groupBy(blobs.store)
    .orderBy(asc(blobs.store));
}

/** By key: blobs that are recorded in other stores than `store`. */
export async function listBlobsOutside(tx: Queryable, store: string, { after, limit = 500 }: Page = {}): Promise<BlobEntry[]> {
  const rows = await tx
    .select()
    .from(blobs)
    .where(and(ne(blobs.store, store), after === undefined ? undefined : gt(blobs.key, after)))
    .orderBy(asc(blobs.key))
    .limit(limit);
  return rows.map(blobEntryOf);
}

/** By key: blobs that nobody has read whole since `since`. */
export async function listUnverifiedBlobs(tx: Queryable, since: string, { after, limit = 500 }: Page = {}): Promise<BlobEntry[]> {
  const unverified = or(isNull(blobs.verifiedAt), lt(blobs.verifiedAt, since));
  const rows = await tx
    .select()
    .from(blobs)
    .where(and(unverified, after === undefined ? undefined : gt(blobs.key, after)))
    .orderBy(asc(blobs.key))
    .limit(limit);
  return rows.map(blobEntryOf);
}

export async function countUnverifiedBlobs(tx: Queryable, since: string): Promise<{ blobs: number; bytes: number }> {
  const [row] = await tx
    .select({
      blobs: sql<number>`count(*)`.mapWith(Number),
      bytes: sql<number>`coalesce(sum(${blobs.sizeBytes}), 0)`.mapWith(Number),
    })
    .from(blobs)
    .where(or(isNull(blobs.verifiedAt), lt(blobs.verifiedAt, since)));
  return row ?? { blobs: 0, bytes: 0 };
}

/** False: fenced, or no longer recorded in `store`. */
export async function markBlobVerified(
  tx: Queryable,
  { key, store, epoch }: { key: BlobKey; store: string; epoch: number },
): Promise<boolean> {
  const rows = await tx
    .update(blobs)
    .set({ verifiedAt: sql`now()` })
    .where(and(eq(blobs.key, key), eq(blobs.store, store), epochHolds(epoch)))
    .returning({ key: blobs.key });
  return rows.length > 0;
}

/**
 * In a transaction, when the bytes in `to` were read back and are right: from now on they are read there, and the copy in `from` is a stray. False, and
 * nothing changed: fenced, or no longer recorded in `from`.
 */
export async function moveBlobEntry(
  tx: Queryable,
  { key, from, to, epoch }: { key: BlobKey; from: string; to: string; epoch: number },
): Promise<boolean> {
  const [moved] = await tx
    .update(blobs)
    .set({ store: to, verifiedAt: sql`now()` })
    .where(and(eq(blobs.key, key), eq(blobs.store, from), epochHolds(epoch)))
    .returning({ sizeBytes: blobs.sizeBytes });
  if (moved === undefined) return false;
  await Promise.all([
    tx
      .insert(strayBlobs)
      .values({ store: from, key, sizeBytes: moved.sizeBytes })
      .onConflictDoUpdate({ target: [strayBlobs.store, strayBlobs.key], set: { since: sql`now()` } }),
    tx.delete(strayBlobs).where(and(eq(strayBlobs.store, to), eq(strayBlobs.key, key))),
    releaseBlob(tx, { key, store: to }),
  ]);
  return true;
}
