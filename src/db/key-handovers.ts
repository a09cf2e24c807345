import { asc, eq, isNotNull } from "drizzle-orm";
import type { SignedHandover, SigningChain } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { keyHandovers, signingKeys } from "./schema.ts";
import { activeSigningKey, type StoredSigningKey } from "./signing-keys.ts";

/** In order; the last may be an announcement. */
export async function listHandovers(tx: Queryable): Promise<SigningChain> {
  const rows = await tx.select({ document: keyHandovers.document }).from(keyHandovers).orderBy(asc(keyHandovers.sequence));
  return rows.map(({ document }) => document);
}

/** In a transaction: the active key, and nobody else changes which one that is meanwhile. */
export async function lockActiveSigningKey(tx: Queryable): Promise<StoredSigningKey> {
  await tx.select({ keyId: signingKeys.keyId }).from(signingKeys).where(isNotNull(signingKeys.sealedPrivateKey)).for("update");
  const active = await activeSigningKey(tx);
  if (!active) throw new Error("lockActiveSigningKey: no active key");
  return active;
}

/** In a transaction that has locked the active key. */
export async function insertAnnouncedKey(
  tx: Queryable,
  key: { keyId: string; publicKey: string; sealedPrivateKey: string },
  announcement: SignedHandover,
): Promise<StoredSigningKey> {
  const [row] = await tx
    .insert(signingKeys)
    .values({ ...key, active: false })
    .returning();
  if (!row) throw new Error("insertAnnouncedKey: no row");
  const { sequence } = announcement.handover;
  await tx.insert(keyHandovers).values({ sequence, toKeyId: key.keyId, document: announcement });
  return row;
}

/** In a transaction that has locked the active key, which loses its private half: it has signed its last. */
export async function handSigningOver(tx: Queryable, document: SignedHandover): Promise<StoredSigningKey> {
  const { from, to } = document.handover;
  await tx.update(signingKeys).set({ active: false, sealedPrivateKey: null }).where(eq(signingKeys.keyId, from.keyId));
  const [row] = await tx.update(signingKeys).set({ active: true }).where(eq(signingKeys.keyId, to.keyId)).returning();
  if (!row) throw new Error("handSigningOver: no such key");
  await tx.update(keyHandovers).set({ document }).where(eq(keyHandovers.toKeyId, to.keyId));
  return row;
}
