import { and, count, desc, eq, isNotNull, isNull, sql } from "drizzle-orm";
import type { Queryable } from "./queryable.ts";
import { hosts, signingKeys } from "./schema.ts";

export interface StoredSigningKey {
  keyId: string;
  /** Raw Ed25519, base64. */
  publicKey: string;
  /** Encrypted by the caller. None when the key is retired. */
  sealedPrivateKey: string | null;
  createdAt: string;
  /** The one that signs. */
  active: boolean;
}

/** The active key; `key` becomes it when there is none. Of many replicas that start at once, one wins and all get its key. */
export async function ensureSigningKey(
  tx: Queryable,
  key: { keyId: string; publicKey: string; sealedPrivateKey: string },
): Promise<StoredSigningKey> {
  await tx
    .insert(signingKeys)
    .values({ ...key, active: true })
    .onConflictDoNothing();
  const active = await activeSigningKey(tx);
  if (!active) throw new Error("ensureSigningKey: no active key");
  return active;
}

export async function activeSigningKey(tx: Queryable): Promise<StoredSigningKey | undefined> {
  const [row] = await tx.select().from(signingKeys).where(eq(signingKeys.active, true));
  return row;
}

/** The same key, sealed anew; one that was retired meanwhile stays so. */
export async function resealSigningKey(tx: Queryable, keyId: string, sealedPrivateKey: string): Promise<void> {
  const sealed = and(eq(signingKeys.keyId, keyId), isNotNull(signingKeys.sealedPrivateKey));
  await tx.update(signingKeys).set({ sealedPrivateKey }).where(sealed);
}

/** By key, the enrolled hosts that trust it, or have heard that it is announced. */
export async function countHostsByKey(tx: Queryable): Promise<Map<string, number>> {
  const { trustedKeyId, nextKeyId, revokedAt } = hosts;
  const keyId = sql<string | null>`unnest(array[${trustedKeyId}, ${nextKeyId}])`;
  const known = tx
    .select({ keyId: keyId.as("known_key_id") })
    .from(hosts)
    .where(isNull(revokedAt))
    .as("known");
  const rows = await tx.select({ keyId: known.keyId, hosts: count() }).from(known).groupBy(known.keyId);
  return new Map(rows.flatMap((row) => (row.keyId === null ? [] : [[row.keyId, row.hosts] as const])));
}

/** Newest first. */
export const listSigningKeys = (tx: Queryable): Promise<StoredSigningKey[]> =>
  tx.select().from(signingKeys).orderBy(desc(signingKeys.createdAt), signingKeys.keyId);
