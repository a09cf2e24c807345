import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { BlobKey } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { blobChunks, blobContents, blobUploads } from "./schema.ts";

// The tables of the `postgres` blob driver: an upload's chunks are written one by one and nobody sees them until the upload is published.

export interface BlobContent {
  uploadId: string;
  sizeBytes: number;
  chunkBytes: number;
}

export async function beginBlobUpload(tx: Queryable, key: BlobKey): Promise<string> {
  const id = crypto.randomUUID();
  await tx.insert(blobUploads).values({ id, key });
  return id;
}

/** Positions are 0, 1, …; every chunk but the last is `chunkBytes` long. */
export async function putBlobChunk(
  tx: Queryable,
  { uploadId, position, bytes }: { uploadId: string; position: number; bytes: Uint8Array },
): Promise<void> {
  await tx.insert(blobChunks).values({ uploadId, position, bytes });
}

/** Makes the upload its key's content. One that was there is replaced, and swept later: somebody may be reading it. */
export async function publishBlobUpload(tx: Queryable, key: BlobKey, content: BlobContent): Promise<void> {
  await tx
    .insert(blobContents)
    .values({ key, ...content })
    .onConflictDoUpdate({ target: blobContents.key, set: content });
}

export async function discardBlobUpload(tx: Queryable, uploadId: string): Promise<void> {
  await tx.delete(blobUploads).where(eq(blobUploads.id, uploadId));
}

/** Uploads that were given up, or replaced, more than `ageMs` ago. */
export async function sweepBlobUploads(tx: Queryable, ageMs: number): Promise<void> {
  const unpublished = sql`not exists (select 1 from ${blobContents} where ${blobContents.uploadId} = ${blobUploads.id})`;
  const old = sql`${blobUploads.createdAt} < now() - ${ageMs}::float8 * interval '1 millisecond'`;
  await tx.delete(blobUploads).where(and(old, unpublished));
}

export async function getBlobContent(tx: Queryable, key: BlobKey): Promise<BlobContent | undefined> {
  const [row] = await tx
    .select({ uploadId: blobContents.uploadId, sizeBytes: blobContents.sizeBytes, chunkBytes: blobContents.chunkBytes })
    .from(blobContents)
    .where(eq(blobContents.key, key));
  return row;
}

export async function getBlobChunk(tx: Queryable, uploadId: string, position: number): Promise<Uint8Array | undefined> {
  const [row] = await tx
    .select({ bytes: blobChunks.bytes })
    .from(blobChunks)
    .where(and(eq(blobChunks.uploadId, uploadId), eq(blobChunks.position, position)));
  return row?.bytes;
}

/** In a transaction. Idempotent. */
export async function deleteBlobContent(tx: Queryable, key: BlobKey): Promise<void> {
  const [removed] = await tx.delete(blobContents).where(eq(blobContents.key, key)).returning({ uploadId: blobContents.uploadId });
  if (removed) await discardBlobUpload(tx, removed.uploadId);
}

/** By key, `after` one. */
export async function listBlobContents(
  tx: Queryable,
  { after, limit = 1000 }: { after?: BlobKey | undefined; limit?: number } = {},
): Promise<{ key: BlobKey; sizeBytes: number }[]> {
  return await tx
    .select({ key: blobContents.key, sizeBytes: blobContents.sizeBytes })
    .from(blobContents)
    .where(after === undefined ? undefined : gt(blobContents.key, after))
    .orderBy(asc(blobContents.key))
    .limit(limit);
}
