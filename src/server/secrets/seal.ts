import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const algorithm = "aes-256-gcm";
const tagBytes = 16;
const ivBytes = 12;

/** `plaintext` under a 32-byte key with AES-256-GCM, as `v1.<base64>`. `purpose` must be the same to open it: a sealed value cannot be moved elsewhere. */
export function seal(plaintext: string, key: Uint8Array, purpose: string): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv(algorithm, key, iv, { authTagLength: tagBytes }).setAAD(Buffer.from(purpose));
  const sealed = Buffer.concat([iv, cipher.update(plaintext, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `v1.${sealed.toString("base64")}`;
}

/** `undefined`: another key, another purpose, or changed bytes. */
export function unseal(sealed: string, key: Uint8Array, purpose: string): string | undefined {
  const bytes = Buffer.from(sealed.replace(/^v1\./, ""), "base64");
  if (!sealed.startsWith("v1.") || bytes.length < ivBytes + tagBytes) return undefined;
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
    .setAAD(Buffer.from(purpose))
    .setAuthTag(bytes.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()]).toString("utf8");
  } catch {
    // What GCM says when the tag does not fit: nothing of it may be used.
    return undefined;
  }
}
