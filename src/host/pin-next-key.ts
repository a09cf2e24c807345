import {
  announcedKey,
  followSigningChain,
  keyIdOf,
  LarderError,
  notAnnounced,
  type SignedDesiredState,
  type SigningChain,
} from "../contract/for-hosts.ts";
import { readIdentity, type StoredIdentity, writeIdentity } from "./state.ts";
import type { StoreWriter } from "./store-writer.ts";

/** True when `signed` names another key than the one that this host trusts. */
export async function isByAnotherKey({ store }: StoreWriter, { keyId }: SignedDesiredState): Promise<boolean> {
  const identity = await readIdentity(store);
  return identity !== undefined && (await keyIdOf(identity.publicKey)) !== keyId;
}

/**
 * Follows the control plane's handovers from the pinned key to the one that signed, however many there were meanwhile, and pins that one, on disk before this
 * returns. Throws `E_SIGNATURE` when they do not lead there, or the document is older than its key; then nothing changed.
 */
export async function pinNextKey(writer: StoreWriter, chain: SigningChain, signed: SignedDesiredState): Promise<void> {
  const identity = await readIdentity(writer.store);
  if (!identity) return;
  const { storeId, publicKey, nextKey } = identity;
  const steps = { storeId, from: await keyIdOf(publicKey), to: signed.keyId, announced: nextKey?.keyId };
  const next = await followSigningChain(chain, steps);
  if (signed.desired.issuedAt < next.effective) {
    throw new LarderError(
      "E_SIGNATURE",
      `The desired state is of ${signed.desired.issuedAt}; its key signs since ${next.effective}.`,
      {
        hint: "Somebody used the control plane's next key before its time.",
        details: { keyId: signed.keyId },
      },
    );
  }
  await writeIdentity(writer, withKey(identity, next.publicKey));
}

/** Whether this host has heard of it: then nothing needs to be asked. */
export const hasHeardOfKey = async ({ store }: StoreWriter, keyId: string): Promise<boolean> =>
  (await readIdentity(store))?.nextKey?.keyId === keyId;

/**
 * Keeps what the pinned key has announced as the next one: from then on whoever has stolen the pinned key cannot hand over to another. Throws `E_SIGNATURE` when it
 * has announced two different ones; then nothing changed.
 */
export async function keepAnnouncedKey(writer: StoreWriter, chain: SigningChain): Promise<void> {
  const identity = await readIdentity(writer.store);
  if (!identity) return;
  const { storeId, publicKey, nextKey } = identity;
  const announced = await announcedKey(chain, { storeId, by: await keyIdOf(publicKey) });
  if (announced === undefined || announced.keyId === nextKey?.keyId) return;
  if (nextKey !== undefined) throw notAnnounced(announced.keyId, nextKey.keyId);
  await writeIdentity(writer, { ...identity, nextKey: announced });
}

/** More than a store keeps documents of. */
const formerKeysKept = 20;

/** Trusts another key from now on, and remembers the one before. What was announced is over, also for the same key: whoever says so has a new token. */
export function withKey({ nextKey: _, ...identity }: StoredIdentity, publicKey: string): StoredIdentity {
  if (publicKey === identity.publicKey) return identity;
  const formerKeys = [identity.publicKey, ...(identity.formerKeys ?? [])].slice(0, formerKeysKept);
  return { ...identity, publicKey, formerKeys };
}
