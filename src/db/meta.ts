import { eq } from "drizzle-orm";
import type { Queryable } from "./queryable.ts";
import { meta } from "./schema.ts";

export async function getMeta(tx: Queryable, key: string): Promise<string | undefined> {
  const [row] = await tx.select().from(meta).where(eq(meta.key, key));
  return row?.value;
}

/** The value that is there, or `value` if none was: of many replicas that start at once, one wins and all get its answer. */
export async function ensureMeta(tx: Queryable, key: string, value: string): Promise<string> {
  await tx.insert(meta).values({ key, value }).onConflictDoNothing();
  const stored = await getMeta(tx, key);
  if (stored === undefined) throw new Error(`meta ${key} vanished`);
  return stored;
}

export async function setMeta(tx: Queryable, key: string, value: string): Promise<void> {
  await tx.insert(meta).values({ key, value }).onConflictDoUpdate({ target: meta.key, set: { value } });
}

/** This control plane's store: `DesiredState.storeId`. Random, made at first use, then for ever. */
export const ensureStoreId = (tx: Queryable): Promise<string> => ensureMeta(tx, "store-id", crypto.randomUUID());
