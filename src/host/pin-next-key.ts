import { followSigningChain, keyIdOf, LarderError, type SignedDesiredState, type SigningChain } from "../contract/index.ts";
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
  const { storeId, publicKey } = identity;
  const next = await followSigningChain(chain, { storeId, from: await keyIdOf(publicKey), to: signed.keyId });
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

/** More than a store keeps documents of. */
const formerKeysKept = 20;

/** Trusts another key from now on, and remembers the one before. */
export function withKey(identity: StoredIdentity, publicKey: string): StoredIdentity {
  if (publicKey === identity.publicKey) return identity;
  const formerKeys = [identity.publicKey, ...(identity.formerKeys ?? [])].slice(0, formerKeysKept);
  return { ...identity, publicKey, formerKeys };
}
