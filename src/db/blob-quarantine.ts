import { and, asc, eq, inArray } from "drizzle-orm";
import type { BlobKey } from "../contract/index.ts";
import { isOneOf } from "./is-one-of.ts";
import type { Queryable } from "./queryable.ts";
import { blobQuarantine } from "./schema.ts";

export interface QuarantinedBlob {
  key: BlobKey;
  store: string;
  reason: "corrupt" | "missing";
  foundAt: string;
}

const keysPerQuery = 5000;

/** From now on nobody reads this copy. The first finding stays. */
export async function quarantineBlob(
  tx: Queryable,
  { key, store, reason }: Pick<QuarantinedBlob, "key" | "store" | "reason">,
): Promise<void> {
  await tx.insert(blobQuarantine).values({ blobKey: key, store, reason }).onConflictDoNothing();
}

/** Call when good bytes were put into `store` under these keys, or when they are wanted there no more. Idempotent. */
export async function releaseBlobs(tx: Queryable, { keys, store }: { keys: readonly BlobKey[]; store: string }): Promise<void> {
  await tx.delete(blobQuarantine).where(and(isOneOf(blobQuarantine.blobKey, keys), eq(blobQuarantine.store, store)));
}

export const releaseBlob = (tx: Queryable, { key, store }: Pick<QuarantinedBlob, "key" | "store">): Promise<void> =>
  releaseBlobs(tx, { keys: [key], store });

/** The stores whose copy is bad, of those of `keys` that have any. */
export async function getQuarantinedStores(tx: Queryable, keys: readonly BlobKey[]): Promise<Map<BlobKey, string[]>> {
  const found = new Map<BlobKey, string[]>();
  for (let start = 0; start < keys.length; start += keysPerQuery) {
    const rows = await tx
      .select({ key: blobQuarantine.blobKey, store: blobQuarantine.store })
      .from(blobQuarantine)
      .where(inArray(blobQuarantine.blobKey, keys.slice(start, start + keysPerQuery)));
    for (const { key, store } of rows) found.set(key, [...(found.get(key) ?? []), store]);
  }
  return found;
}

/** The oldest findings first. */
export async function listQuarantinedBlobs(tx: Queryable, limit = 100): Promise<QuarantinedBlob[]> {
  return await tx
    .select({
      key: blobQuarantine.blobKey,
      store: blobQuarantine.store,
      reason: blobQuarantine.reason,
      foundAt: blobQuarantine.foundAt,
    })
    .from(blobQuarantine)
    .orderBy(asc(blobQuarantine.foundAt), asc(blobQuarantine.blobKey))
    .limit(limit);
}
