import { and, eq, exists, isNull, or, sql } from "drizzle-orm";
import { ensureMeta, getMeta, setMeta } from "./meta.ts";
import type { Queryable } from "./queryable.ts";
import { blobs, generations, manifestBlobs } from "./schema.ts";

const metaKey = "active-store";

/** The name of the blob store that new blobs go to; `undefined` before any server has started. Read it under election: a migration may have just moved it. */
export const getActiveStore = (tx: Queryable): Promise<string | undefined> => getMeta(tx, metaKey);

/** The recorded one, or `store` when none is: of many replicas that start at once, one wins. */
export const ensureActiveStore = (tx: Queryable, store: string): Promise<string> => ensureMeta(tx, metaKey, store);

/** In the transaction that checked the epoch, when every blob is in `store`. */
export const setActiveStore = (tx: Queryable, store: string): Promise<void> => setMeta(tx, metaKey, store);

/** Whether a generation refers to a blob in `store`, or an install has just put one there. */
export async function holdsWantedBlobs(tx: Queryable, store: string): Promise<boolean> {
  const referring = tx
    .select({ one: sql`1` })
    .from(manifestBlobs)
    .innerJoin(generations, eq(generations.lockfileHash, manifestBlobs.lockfileHash))
    .where(eq(manifestBlobs.blobKey, blobs.key));
  const found = await tx
    .select({ key: blobs.key })
    .from(blobs)
    .where(and(eq(blobs.store, store), or(isNull(blobs.unreferencedSince), exists(referring))))
    .limit(1);
  return found.length > 0;
}
