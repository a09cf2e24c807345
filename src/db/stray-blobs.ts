import { and, asc, eq, inArray, or, type SQL, sql } from "drizzle-orm";
import type { BlobKey } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { blobQuarantine, blobs, operations, strayBlobs } from "./schema.ts";
import { olderThan } from "./sql-age.ts";

/** Bytes in a store that no row of the index names there. */
export interface StrayBlob {
  store: string;
  key: BlobKey;
  sizeBytes: number;
  since: string;
}

const rowsPerInsert = 2000;

/** Found while listing `store`. Those known already keep their time. */
export async function noteStrayBlobs(
  tx: Queryable,
  store: string,
  found: readonly { key: BlobKey; sizeBytes: number }[],
): Promise<void> {
  for (let start = 0; start < found.length; start += rowsPerInsert) {
    const rows = found.slice(start, start + rowsPerInsert).map(({ key, sizeBytes }) => ({ store, key, sizeBytes }));
    await tx.insert(strayBlobs).values(rows).onConflictDoNothing();
  }
}

/** The longest astray first. */
export async function listStrayBlobs(
  tx: Queryable,
  { graceMs, limit }: { graceMs: number; limit: number },
): Promise<StrayBlob[]> {
  return await tx
    .select()
    .from(strayBlobs)
    .where(olderThan(strayBlobs.since, graceMs))
    .orderBy(asc(strayBlobs.since), asc(strayBlobs.store), asc(strayBlobs.key))
    .limit(limit);
}

const named = sql`exists (select 1 from ${blobs} where ${blobs.key} = ${strayBlobs.key} and ${blobs.store} = ${strayBlobs.store})`;

/** Those that the index names again. Returns how many. */
export async function forgetRevivedStrays(tx: Queryable): Promise<number> {
  return (await tx.delete(strayBlobs).where(named).returning({ key: strayBlobs.key })).length;
}

/** Of `candidates`, those that are still strays. */
export async function stillStray(tx: Queryable, candidates: readonly StrayBlob[]): Promise<StrayBlob[]> {
  if (candidates.length === 0) return [];
  return await tx
    .select()
    .from(strayBlobs)
    .where(and(oneOf(candidates), sql`not ${named}`));
}

/** When their bytes are gone, with what was known to be wrong with them. */
export async function forgetStrayBlobs(tx: Queryable, gone: readonly StrayBlob[]): Promise<void> {
  if (gone.length === 0) return;
  await tx.delete(strayBlobs).where(oneOf(gone));
  for (const [store, keys] of byStore(gone)) {
    await tx.delete(blobQuarantine).where(and(eq(blobQuarantine.store, store), inArray(blobQuarantine.blobKey, keys)));
  }
}

/** Per store, by name: all of them, and those of at least `graceMs`. */
export async function strayUsage(
  tx: Queryable,
  graceMs = 0,
): Promise<{ store: string; blobs: number; bytes: number; dueBlobs: number; dueBytes: number }[]> {
  const due = olderThan(strayBlobs.since, graceMs);
  return await tx
    .select({
      store: strayBlobs.store,
      blobs: sql<number>`count(*)`.mapWith(Number),
      bytes: sql<number>`sum(${strayBlobs.sizeBytes})`.mapWith(Number),
      dueBlobs: sql<number>`count(*) filter (where ${due})`.mapWith(Number),
      dueBytes: sql<number>`coalesce(sum(${strayBlobs.sizeBytes}) filter (where ${due}), 0)`.mapWith(Number),
    })
    .from(strayBlobs)
    .groupBy(strayBlobs.store)
    .orderBy(asc(strayBlobs.store));
}

/**
 * Every store that this database has ever put something into, besides the active one. Only there may unknown bytes be taken for leftovers: a store that was
 * merely configured may hold somebody else's.
 */
export async function listUsedStores(tx: Queryable): Promise<string[]> {
  const target = sql<string>`${operations.input} ->> 'target'`;
  const found = await Promise.all([
    tx.selectDistinct({ store: blobs.store }).from(blobs),
    tx.selectDistinct({ store: strayBlobs.store }).from(strayBlobs),
    tx.selectDistinct({ store: target }).from(operations).where(eq(operations.kind, "migrate")),
  ]);
  return [...new Set(found.flat().map(({ store }) => store))].sort();
}

const oneOf = (strays: readonly StrayBlob[]): SQL | undefined =>
  or(...[...byStore(strays)].map(([store, keys]) => and(eq(strayBlobs.store, store), inArray(strayBlobs.key, keys))));

function byStore(strays: readonly StrayBlob[]): Map<string, BlobKey[]> {
  const found = new Map<string, BlobKey[]>();
  for (const { store, key } of strays) found.set(store, [...(found.get(store) ?? []), key]);
  return found;
}
