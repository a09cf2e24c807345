import { z } from "zod";
import { LarderError } from "./larder-error.ts";

/** SHA-512 of a tarball as 128 lower-case hex digits: the key of a blob. */
export type BlobKey = string & { readonly __brand: "BlobKey" };
/** A Subresource Integrity string with exactly one SHA-512 digest: `sha512-<88 base64 characters>`. */
export type Integrity = string & { readonly __brand: "Integrity" };

const sri = /^sha512-[A-Za-z0-9+/]{86}==$/;
const hex = /^[0-9a-f]{128}$/;

export const isIntegrity = (value: string): value is Integrity => sri.test(value);
export const isBlobKey = (value: string): value is BlobKey => hex.test(value);

const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function blobKeyOf(integrity: Integrity): BlobKey {
  const bytes = atob(integrity.slice("sha512-".length));
  let key = "";
  for (let i = 0; i < bytes.length; i++) key += hexPairs[bytes.charCodeAt(i)];
  return key as BlobKey;
}

export function integrityOf(key: BlobKey): Integrity {
  const bytes = key.match(/../g)?.map((pair) => String.fromCharCode(Number.parseInt(pair, 16))) ?? [];
  return `sha512-${btoa(bytes.join(""))}` as Integrity;
}

/** Throws `E_INPUT`. */
export function parseBlobKey(value: string): BlobKey {
  if (isBlobKey(value)) return value;
  throw new LarderError("E_INPUT", "A blob's key is 128 hex digits (SHA-512).");
}

export const integritySchema = z
  .string()
  .refine(isIntegrity, "not a SHA-512 integrity")
  .transform((v) => v as Integrity);
export const blobKeySchema = z
  .string()
  .refine(isBlobKey, "not a SHA-512 in hex")
  .transform((v) => v as BlobKey);

/** SHA-256 of a manifest's canonical JSON, 64 lower-case hex digits. */
export type LockfileHash = string & { readonly __brand: "LockfileHash" };
const hex256 = /^[0-9a-f]{64}$/;
export const isLockfileHash = (value: string): value is LockfileHash => hex256.test(value);
export const lockfileHashSchema = z
  .string()
  .refine(isLockfileHash, "not a lockfile hash")
  .transform((v) => v as LockfileHash);
