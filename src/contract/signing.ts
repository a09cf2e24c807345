import { canonicalJson } from "./canonical-json.ts";
import type { DesiredState, SignedDesiredState } from "./desired-state.ts";
import { LarderError } from "./larder-error.ts";

const algorithm = { name: "Ed25519" } as const;
/** Keeps a signature over a desired state from ever being one over something else. */
const domain = "larder desired state v1\n";

export interface SigningKey {
  keyId: string;
  /** 32 raw bytes, base64. */
  publicKey: string;
  /** PKCS #8 DER, base64. Secret. */
  privateKey: string;
}

export async function generateSigningKey(): Promise<SigningKey> {
  const pair = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
  const publicKey = toBase64(await crypto.subtle.exportKey("raw", pair.publicKey));
  const privateKey = toBase64(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  return { keyId: await keyIdOf(publicKey), publicKey, privateKey };
}

/** First 128 bits of the SHA-256 of the raw public key, hex: what a host's token pins. */
export async function keyIdOf(publicKey: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", fromBase64(publicKey)));
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function signDesiredState(desired: DesiredState, key: SigningKey): Promise<SignedDesiredState> {
  const privateKey = await crypto.subtle.importKey("pkcs8", fromBase64(key.privateKey), algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign(algorithm, privateKey, desiredStateBytes(desired));
  return { desired, keyId: key.keyId, signature: toBase64(signature) };
}

/** Throws `E_SIGNATURE` unless `signed` is by the key whose raw public half is `publicKey` (base64). Says nothing of age or order. */
export async function assertDesiredStateSignature(signed: SignedDesiredState, publicKey: string): Promise<void> {
  const expectedKeyId = await keyIdOf(publicKey);
  if (signed.keyId !== expectedKeyId) {
    throw new LarderError(
      "E_SIGNATURE",
      `The desired state is signed by key ${signed.keyId}; this host trusts ${expectedKeyId}.`,
      {
        hint: "If the control plane was replaced on purpose, enrol this host again.",
      },
    );
  }
  const key = await crypto.subtle.importKey("raw", fromBase64(publicKey), algorithm, false, ["verify"]);
  const valid = await crypto.subtle
    .verify(algorithm, key, fromBase64(signed.signature), desiredStateBytes(signed.desired))
    .catch(() => false);
  if (!valid) throw new LarderError("E_SIGNATURE", "The desired state's signature does not match its content.");
}

const desiredStateBytes = (desired: DesiredState): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(domain + canonicalJson(desired));

function toBase64(buffer: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(buffer)));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    throw new LarderError("E_SIGNATURE", "A key or signature is not base64.");
  }
}
