import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LarderError } from "../../contract/index.ts";
import { undefinedOn, writeFileAtomic } from "../../lib/index.ts";

/** The first of `keys` seals; the others, which a rotation has left behind, only open. */
export interface SecretKeys {
  keys: [Uint8Array, ...Uint8Array[]];
  /** The file or setting they came from, for refusals. */
  source: string;
  /** Larder's own file, which it may write. */
  isFile: boolean;
}

export const secretKeyVariable = "LARDER_SECRET_KEY";
export const secretKeyPath = (controlDirectory: string): string => join(controlDirectory, "secret-key");

/** The keys of the setting or, without it, of the file; `undefined` when there is neither. Throws `E_CONFIG` for one that is not 32 bytes. */
export async function readSecretKeys(controlDirectory: string, setting: string | undefined): Promise<SecretKeys | undefined> {
  if (setting !== undefined)
    return { keys: parseSecretKeys(setting, secretKeyVariable), source: secretKeyVariable, isFile: false };
  const path = secretKeyPath(controlDirectory);
  const text = await undefinedOn(["ENOENT"], readFile(path, "utf8"));
  return text === undefined ? undefined : { keys: parseSecretKeys(text, path), source: path, isFile: true };
}

/** Makes `control/secret-key` with a new random key, and `older` ones behind it. */
export async function createSecretKeys(controlDirectory: string, older: readonly Uint8Array[] = []): Promise<SecretKeys> {
  const keys: SecretKeys["keys"] = [randomBytes(32), ...older];
  await writeSecretKeys(controlDirectory, keys);
  return { keys, source: secretKeyPath(controlDirectory), isFile: true };
}

export async function writeSecretKeys(controlDirectory: string, keys: readonly Uint8Array[]): Promise<void> {
  const text = keys.map((key) => `${Buffer.from(key).toString("base64")}\n`).join("");
  await writeFileAtomic(secretKeyPath(controlDirectory), text, 0o600);
}

function parseSecretKeys(text: string, source: string): SecretKeys["keys"] {
  const [first = "", ...others] = text.split(/[\s,]+/).filter(Boolean);
  return [parseSecretKey(first, source), ...others.map((each) => parseSecretKey(each, source))];
}

function parseSecretKey(text: string, source: string): Uint8Array {
  const bytes = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, "hex") : Buffer.from(text, "base64");
  if (bytes.length === 32) return bytes;
  throw new LarderError("E_CONFIG", `${source} does not hold 32 bytes in base64 or hex.`, {
    hint: "Put back the key that this store was made with. For a new store, `openssl rand -base64 32` makes one.",
  });
}
