import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LarderError } from "../../contract/index.ts";
import { undefinedOn, writeFileAtomic } from "../../lib/index.ts";

export interface SecretKey {
  bytes: Uint8Array;
  /** The file or setting it came from, for refusals. */
  source: string;
}

export const secretKeyVariable = "LARDER_SECRET_KEY";
export const secretKeyPath = (controlDirectory: string): string => join(controlDirectory, "secret-key");

/** The key of the setting or, without it, of the file; `undefined` when there is neither. Throws `E_CONFIG` for one that is not 32 bytes. */
export async function readSecretKey(controlDirectory: string, setting: string | undefined): Promise<SecretKey | undefined> {
  if (setting !== undefined) return { bytes: parseSecretKey(setting, secretKeyVariable), source: secretKeyVariable };
  const path = secretKeyPath(controlDirectory);
  const text = await undefinedOn(["ENOENT"], readFile(path, "utf8"));
  return text === undefined ? undefined : { bytes: parseSecretKey(text, path), source: path };
}

/** Makes `control/secret-key` with a new random key. */
export async function createSecretKey(controlDirectory: string): Promise<SecretKey> {
  const path = secretKeyPath(controlDirectory);
  const bytes = randomBytes(32);
  await writeFileAtomic(path, `${bytes.toString("base64")}\n`, 0o600);
  return { bytes, source: path };
}

function parseSecretKey(text: string, source: string): Uint8Array {
  const trimmed = text.trim();
  const bytes = /^[0-9a-f]{64}$/i.test(trimmed) ? Buffer.from(trimmed, "hex") : Buffer.from(trimmed, "base64");
  if (bytes.length === 32) return bytes;
  throw new LarderError("E_CONFIG", `${source} does not hold 32 bytes in base64 or hex.`, {
    hint: "Put back the key that this store was made with. For a new store, `openssl rand -base64 32` makes one.",
  });
}
