import { and, eq, inArray, isNotNull, isNull, not, type SQL, sql } from "drizzle-orm";
import type { BlobKey } from "../contract/index.ts";
import { epochHolds } from "./election.ts";
import type { Queryable } from "./queryable.ts";
import { blobs, environments, generations, hosts, manifestBlobs, manifests, meta, strayBlobs } from "./schema.ts";
import { olderThan } from "./sql-age.ts";

// What collection may remove. Retained is a manifest that the current generation or one of the `keep` before it has, in any environment, or that a host has last
// reported. A blob is referenced while a retained manifest names it.

const isRetained = (keep: number): SQL => sql`(
  exists (select 1 from ${generations} join ${environments} on ${environments.name} = ${generations.environment}
    where ${generations.lockfileHash} = ${manifests.lockfileHash} and ${generations.number} >= ${environments.generationCounter} - ${keep}::int8)
  or exists (select 1 from ${generations} join ${hosts} on ${hosts.environment} = ${generations.environment} and ${hosts.generation} = ${generations.number}
    where ${generations.lockfileHash} = ${manifests.lockfileHash} and ${hosts.revokedAt} is null)
  or exists (select 1 from ${hosts} where ${hosts.lockfileHash} = ${manifests.lockfileHash} and ${hosts.revokedAt} is null))`;

const isReferenced = sql`exists (select 1 from ${manifestBlobs} join ${manifests} on ${manifests.lockfileHash} = ${manifestBlobs.lockfileHash}
  where ${manifestBlobs.blobKey} = ${blobs.key} and ${manifests.unreferencedSince} is null)`;

const isNamed = sql`exists (select 1 from ${manifestBlobs} where ${manifestBlobs.blobKey} = ${blobs.key})`;

/**
 * In a transaction. No generation is committed until it ends. Starts the clock for what is no longer retained or referenced, stops it for what is again.
 */
export async function markUnreferenced(tx: Queryable, keep: number): Promise<void> {
  await tx.select({ name: environments.name }).from(environments).orderBy(environments.name).for("update");
  await tx
    .update(manifests)
    .set({ unreferencedSince: sql`now()` })
    .where(and(isNull(manifests.unreferencedSince), not(isRetained(keep))));
  await tx
    .update(manifests)
    .set({ unreferencedSince: null })
    .where(and(isNotNull(manifests.unreferencedSince), isRetained(keep)));
  await tx
    .update(blobs)
    .set({ unreferencedSince: sql`now()` })
    .where(and(isNull(blobs.unreferencedSince), not(isReferenced)));
  await tx
    .update(blobs)
    .set({ unreferencedSince: null })
    .where(and(isNotNull(blobs.unreferencedSince), isReferenced));
}

/** In the transaction that marked. Pointers first: their generations stay as history. Returns how many. */
export async function dropUnreferencedManifests(tx: Queryable, graceMs: number): Promise<number> {
  const dropped = await tx
    .delete(manifests)
    .where(and(isNotNull(manifests.unreferencedSince), olderThan(manifests.unreferencedSince, graceMs)))
    .returning({ lockfileHash: manifests.lockfileHash });
  return dropped.length;
}

const isCollectable = (graceMs: number): SQL | undefined =>
  and(isNotNull(blobs.unreferencedSince), olderThan(blobs.unreferencedSince, graceMs), sql`not ${isNamed}`);

export async function listCollectableBlobs(
  tx: Queryable,
  { graceMs, limit }: { graceMs: number; limit: number },
): Promise<BlobKey[]> {
  const rows = await tx.select({ key: blobs.key }).from(blobs).where(isCollectable(graceMs)).orderBy(blobs.key).limit(limit);
  return rows.map(({ key }) => key);
}

/**
 * In a transaction: the rows of those of `keys` that are still collectable, under the epoch; their bytes are strays from the time when nothing referred to them, so
 * that a crash from here on loses nobody's trace.
 */
export async function dropBlobEntries(
  tx: Queryable,
  { keys, graceMs, epoch }: { keys: readonly BlobKey[]; graceMs: number; epoch: number },
): Promise<{ key: BlobKey; store: string; sizeBytes: number }[]> {
  const dropped = await tx
    .delete(blobs)
    .where(and(inArray(blobs.key, [...keys]), isCollectable(graceMs), epochHolds(epoch)))
    .returning({ key: blobs.key, store: blobs.store, sizeBytes: blobs.sizeBytes, since: blobs.unreferencedSince });
  if (dropped.length === 0) return [];
  const strays = dropped.map(({ since, ...stray }) => ({ ...stray, ...(since === null ? {} : { since }) }));
  await tx
    .insert(strayBlobs)
    .values(strays)
    .onConflictDoUpdate({ target: [strayBlobs.store, strayBlobs.key], set: { since: sql`excluded.since` } });
  return dropped.map(({ since: _since, ...blob }) => blob);
}

export interface RetentionPreview {
  manifests: number;
  deleted: { blobs: number; bytes: number };
  keptWithinGrace: { blobs: number; bytes: number };
}

/** What a collection would find now. Changes nothing. */
export async function previewRetention(
  tx: Queryable,
  { graceMs, keep }: { graceMs: number; keep: number },
): Promise<RetentionPreview> {
  const isDue = (since: typeof manifests.unreferencedSince | typeof blobs.unreferencedSince) =>
    graceMs === 0 ? sql`true` : sql`coalesce(${olderThan(since, graceMs)}, false)`;
  const wanted = sql`exists (select 1 from ${manifestBlobs} join ${manifests} on ${manifests.lockfileHash} = ${manifestBlobs.lockfileHash}
    where ${manifestBlobs.blobKey} = ${blobs.key} and ${isRetained(keep)})`;
  const kept = sql`exists (select 1 from ${manifestBlobs} join ${manifests} on ${manifests.lockfileHash} = ${manifestBlobs.lockfileHash}
    where ${manifestBlobs.blobKey} = ${blobs.key} and not ${isDue(manifests.unreferencedSince)})`;
  const due = sql`(${isDue(blobs.unreferencedSince)} and not ${kept})`;
  const [droppable] = await tx
    .select({ manifests: sql<number>`count(*)`.mapWith(Number) })
    .from(manifests)
    .where(and(not(isRetained(keep)), isDue(manifests.unreferencedSince)));
  const [amounts] = await tx
    .select({
      deletedBlobs: sql<number>`count(*) filter (where ${due})`.mapWith(Number),
      deletedBytes: sql<number>`coalesce(sum(${blobs.sizeBytes}) filter (where ${due}), 0)`.mapWith(Number),
      keptBlobs: sql<number>`count(*) filter (where not ${due})`.mapWith(Number),
      keptBytes: sql<number>`coalesce(sum(${blobs.sizeBytes}) filter (where not ${due}), 0)`.mapWith(Number),
    })
    .from(blobs)
    .where(not(wanted));
  const { deletedBlobs = 0, deletedBytes = 0, keptBlobs = 0, keptBytes = 0 } = amounts ?? {};
  return {
    manifests: droppable?.manifests ?? 0,
    deleted: { blobs: deletedBlobs, bytes: deletedBytes },
    keptWithinGrace: { blobs: keptBlobs, bytes: keptBytes },
  };
}

/** What the latest pass has marked. */
export async function unreferencedUsage(tx: Queryable): Promise<{ blobs: number; bytes: number }> {
  const [row] = await tx
    .select({
      blobs: sql<number>`count(*)`.mapWith(Number),
      bytes: sql<number>`coalesce(sum(${blobs.sizeBytes}), 0)`.mapWith(Number),
    })
    .from(blobs)
    .where(isNotNull(blobs.unreferencedSince));
  return row ?? { blobs: 0, bytes: 0 };
}

const reclaimedKey = "reclaimed-bytes";

/** By all collections so far. */
export async function reclaimedBytes(tx: Queryable): Promise<number> {
  const [row] = await tx.select({ value: meta.value }).from(meta).where(eq(meta.key, reclaimedKey));
  return Number(row?.value ?? 0);
}

export async function addReclaimedBytes(tx: Queryable, bytes: number): Promise<void> {
  await tx
    .insert(meta)
    .values({ key: reclaimedKey, value: String(bytes) })
    .onConflictDoUpdate({ target: meta.key, set: { value: sql`(${meta.value}::int8 + ${bytes}::int8)::text` } });
}
