import { canonicalJson } from "./canonical-json.ts";
import type { DesiredState, SignedDesiredState } from "./desired-state.ts";
import { generateKeyPair, isTextSignedBy, type KeyPair, keyIdOf, signText } from "./ed25519.ts";
import { LarderError } from "./larder-error.ts";

/** Keeps a signature over a desired state from ever being one over something else. */
const domain = "larder desired state v1\n";

export interface SigningKey extends KeyPair {
  keyId: string;
}

export async function generateSigningKey(): Promise<SigningKey> {
  const pair = await generateKeyPair();
  return { keyId: await keyIdOf(pair.publicKey), ...pair };
}

export async function signDesiredState(desired: DesiredState, key: SigningKey): Promise<SignedDesiredState> {
  return { desired, keyId: key.keyId, signature: await signText(domain + canonicalJson(desired), key.privateKey) };
}

/** Throws `E_SIGNATURE` unless `signed` is by the key whose raw public half is `publicKey` (base64). Says nothing of age or order. */
export async function assertDesiredStateSignature(signed: SignedDesiredState, publicKey: string): Promise<void> {
  const expectedKeyId = await keyIdOf(publicKey);
  if (signed.keyId !== expectedKeyId) {
    throw new LarderError(
      "E_SIGNATURE",
      `The desired state is signed by key ${signed.keyId}; this host trusts ${expectedKeyId}.`,
      {
        hint: "If the control plane was replaced on purpose, enrol this host again with an empty data directory.",
      },
    );
  }
  if (await isTextSignedBy(domain + canonicalJson(signed.desired), signed.signature, publicKey)) return;
  throw new LarderError("E_SIGNATURE", "The desired state's signature does not match its content.");
}
