import { createHash, randomBytes } from "node:crypto";
import type { Role } from "../../contract/index.ts";

/** A new token's text; a host's carries the id of the key that its host must trust (see `pinnedKeyIdOf`). */
export function createTokenText(role: Exclude<Role, "host">): string;
export function createTokenText(role: "host", keyId: string): string;
export function createTokenText(role: Role, keyId?: string): string {
  const secret = randomBytes(32).toString("base64url");
  return `ldr_${role}_${secret}${keyId === undefined ? "" : `.${keyId}`}`;
}

/** What is stored. One fast hash is enough: 256 random bits cannot be guessed. */
export const hashOfToken = (text: string): string => createHash("sha256").update(text).digest("hex");
