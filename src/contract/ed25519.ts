import { LarderError } from "./larder-error.ts";

const algorithm = { name: "Ed25519" } as const;

/** Both halves in base64: 32 raw bytes, and PKCS #8 DER, which is secret. */
export interface KeyPair {
  publicKey: string;
  privateKey: string;
}

export async function generateKeyPair(): Promise<KeyPair> {
  const pair = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
  return {
    publicKey: toBase64(await crypto.subtle.exportKey("raw", pair.publicKey)),
    privateKey: toBase64(await crypto.subtle.exportKey("pkcs8", pair.privateKey)),
  };
}

/** First 128 bits of the SHA-256 of the raw public key, in hex. */
export async function keyIdOf(publicKey: string): Promise<string> {
  return (await sha256Hex(fromBase64(publicKey))).slice(0, 32);
}

/** The signature over `text` in UTF-8, base64. Every kind of text begins with a domain line of its own, so that none can stand for another. */
export async function signText(text: string, privateKey: string): Promise<string> {
  const key = await crypto.subtle.importKey("pkcs8", fromBase64(privateKey), algorithm, false, ["sign"]);
  return toBase64(await crypto.subtle.sign(algorithm, key, encoder.encode(text)));
}

/** False also for what is not a signature or not a key. */
export async function isTextSignedBy(text: string, signature: string, publicKey: string): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey("raw", fromBase64(publicKey), algorithm, false, ["verify"]);
    return await crypto.subtle.verify(algorithm, key, fromBase64(signature), encoder.encode(text));
  } catch {
    // Not base64, or of a wrong length: WebCrypto and we say so in different ways.
    return false;
  }
}

export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const encoder = new TextEncoder();

const toBase64 = (buffer: ArrayBuffer): string => btoa(String.fromCharCode(...new Uint8Array(buffer)));

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    throw new LarderError("E_SIGNATURE", "A key or signature is not base64.");
  }
}
