import { and, asc, eq, exists, gt, sql } from "drizzle-orm";
import type { BlobKey, EnvironmentName } from "../contract/index.ts";
import { releaseBlobs } from "./blob-quarantine.ts";
import { isOneOf } from "./is-one-of.ts";
import type { Queryable } from "./queryable.ts";
import { blobs, generations, manifestBlobs } from "./schema.ts";
import { withoutNulls } from "./without-nulls.ts";

export interface BlobEntry {
  key: BlobKey;
  /** Packed, as stored. */
  sizeBytes: number;
  /** As counted when it was admitted. */
  unpackedBytes?: number;
  files?: number;
  /** The name of the blob store that holds the bytes. */
  store: string;
  createdAt: string;
  unreferencedSince?: string;
  verifiedAt?: string;
}

export const blobEntryOf = (row: typeof blobs.$inferSelect): BlobEntry => withoutNulls(row);

const keysPerQuery = 5000;

export type NewBlobEntry = Pick<BlobEntry, "key" | "sizeBytes" | "unpackedBytes" | "files">;

/**
 * Idempotent: call when the bytes were put into `store` and are durable. From then on `store` is where they are read first, and what was wrong with an
 * earlier copy there is forgotten. In a transaction; each key once.
 */
export async function putBlobEntries(tx: Queryable, store: string, entries: readonly NewBlobEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await tx
    .insert(blobs)
    .values(entries.map(({ key, sizeBytes, unpackedBytes, files }) => ({ key, sizeBytes, unpackedBytes, files, store })))
    .onConflictDoUpdate({ target: blobs.key, set: { store, unreferencedSince: null } });
  const keys = entries.map(({ key }) => key);
  await releaseBlobs(tx, { store, keys });
}

/** `putBlobEntries` for one. @internal */
export const putBlobEntry = (tx: Queryable, { store, ...entry }: NewBlobEntry & { store: string }): Promise<void> =>
  putBlobEntries(tx, store, [entry]);

export async function getBlobEntry(tx: Queryable, key: BlobKey): Promise<BlobEntry | undefined> {
  const [row] = await tx.select().from(blobs).where(eq(blobs.key, key));
  return row && blobEntryOf(row);
}

/** Those of `keys` that are there. */
export async function getBlobEntries(tx: Queryable, keys: readonly BlobKey[]): Promise<Map<BlobKey, BlobEntry>> {
  const found = new Map<BlobKey, BlobEntry>();
  for (let start = 0; start < keys.length; start += keysPerQuery) {
    const rows = await tx
      .select()
      .from(blobs)
      .where(isOneOf(blobs.key, keys.slice(start, start + keysPerQuery)));
    for (const row of rows) found.set(row.key, blobEntryOf(row));
  }
  return found;
}

/** By key, `after` one: a page of the whole index. @internal */
export async function listBlobEntries(
  tx: Queryable,
  { after, limit = 1000 }: { after?: BlobKey; limit?: number } = {},
): Promise<BlobEntry[]> {
  const rows = await tx
    .select()
    .from(blobs)
    .where(after === undefined ? undefined : gt(blobs.key, after))
    .orderBy(asc(blobs.key))
    .limit(limit);
  return rows.map(blobEntryOf);
}

/** @internal */
export async function deleteBlobEntry(tx: Queryable, key: BlobKey): Promise<void> {
  await tx.delete(blobs).where(eq(blobs.key, key));
}

export async function blobUsage(tx: Queryable): Promise<{ blobs: number; bytes: number }> {
  const [row] = await tx
    .select({
      blobs: sql<number>`count(*)`.mapWith(Number),
      bytes: sql<number>`coalesce(sum(${blobs.sizeBytes}), 0)`.mapWith(Number),
    })
    .from(blobs);
  return row ?? { blobs: 0, bytes: 0 };
}

/** Those of `keys` that a generation of `environment` refers to. */
export async function getBlobEntriesOf(
  tx: Queryable,
  environment: EnvironmentName,
  keys: readonly BlobKey[],
): Promise<Map<BlobKey, BlobEntry>> {
  const found = new Map<BlobKey, BlobEntry>();
  for (let start = 0; start < keys.length; start += keysPerQuery) {
    const rows = await tx
      .select()
      .from(blobs)
      .where(and(isOneOf(blobs.key, keys.slice(start, start + keysPerQuery)), exists(referring(tx, environment))));
    for (const row of rows) found.set(row.key, withoutNulls(row));
  }
  return found;
}

/** The index row, if a generation of `environment` refers to the blob: what a host of that environment may read. */
export async function getBlobEntryOf(tx: Queryable, environment: EnvironmentName, key: BlobKey): Promise<BlobEntry | undefined> {
  const [row] = await tx
    .select()
    .from(blobs)
    .where(and(eq(blobs.key, key), exists(referring(tx, environment))));
  return row && blobEntryOf(row);
}

/** For a `where` on `blobs`: a generation of `environment` refers to the row. */
export const referring = (tx: Queryable, environment: EnvironmentName) =>
  tx
    .select({ number: generations.number })
    .from(manifestBlobs)
    .innerJoin(generations, eq(generations.lockfileHash, manifestBlobs.lockfileHash))
    .where(and(eq(manifestBlobs.blobKey, blobs.key), eq(generations.environment, environment)));
