import { LarderError } from "../../contract/index.ts";
import { type Db, listSigningKeys, lockRegistries, type Queryable, resealRegistry, resealSigningKey } from "../../db/index.ts";
import { credentialsPurpose } from "../registries/sealed-credentials.ts";
import { signingKeyPurpose } from "../signing/open-signer.ts";
import { createSecretKeys, secretKeyVariable, writeSecretKeys } from "./secret-key.ts";
import type { Vault } from "./vault.ts";

interface RotateOptions {
  db: Db;
  vault: Vault;
  controlDirectory: string;
}

/**
 * A new key in the data directory's own file, and every secret sealed with it. The file names both keys until the database has changed: whenever this is killed,
 * what is there can be opened. Where replicas share the key, an admin puts the new one in front of the old one first; this then seals with it. Runs within the
 * caller's transaction only as far as the database goes: call `finish` when that has ended well.
 */
export async function startRotation({ db, vault, controlDirectory }: RotateOptions) {
  const before = vault.keys();
  const makesKey = before.isFile && before.keys.length === 1;
  if (makesKey && db.kind !== "pglite") throw sharedKey(before.source);
  if (!before.isFile && before.keys.length === 1) throw givenKey();
  if (makesKey) vault.use(await createSecretKeys(controlDirectory, before.keys));
  return {
    reseal: (tx: Queryable) => resealAll(tx, vault),
    async finish(): Promise<void> {
      const { keys, isFile } = vault.keys();
      if (!isFile || db.kind !== "pglite") return;
      await writeSecretKeys(controlDirectory, [keys[0]]);
      vault.use({ ...vault.keys(), keys: [keys[0]] });
    },
  };
}

/** How many were sealed with an older key. Throws when one cannot be opened: nothing is changed then. */
async function resealAll(tx: Queryable, vault: Vault): Promise<number> {
  let resealed = 0;
  const again = (sealed: string, purpose: string, what: string): string | undefined => {
    const opened = vault.open(sealed, purpose);
    if (opened === undefined) throw cannotOpen(what, vault);
    if (!opened.isOld) return undefined;
    resealed += 1;
    return vault.seal(opened.plaintext, purpose);
  };
  for (const { keyId, sealedPrivateKey } of await listSigningKeys(tx)) {
    if (sealedPrivateKey === null) continue;
    const sealed = again(sealedPrivateKey, signingKeyPurpose(keyId), `The signing key ${keyId}`);
    if (sealed !== undefined) await resealSigningKey(tx, keyId, sealed);
  }
  for (const { name, credentialsFor, sealedCredentials } of await lockRegistries(tx)) {
    if (sealedCredentials === undefined || credentialsFor === undefined) continue;
    const sealed = again(sealedCredentials, credentialsPurpose(name, credentialsFor), `The token of the registry ${name}`);
    if (sealed !== undefined) await resealRegistry(tx, name, sealed);
  }
  return resealed;
}

const cannotOpen = (what: string, { source }: Vault): LarderError =>
  new LarderError("E_SECRET_KEY", `${what} cannot be opened with ${source}.`, {
    hint: "Give the token again with `larder registry set`, or put back the key that it was sealed with. Nothing was changed.",
  });

const sharedKey = (source: string): LarderError =>
  new LarderError("E_CONFLICT", `Other replicas may use the key in ${source} too.`, {
    hint: `Put a new key (openssl rand -base64 32) in a line of its own above the old one, for every replica; restart them; then run this again.`,
  });

const givenKey = (): LarderError =>
  new LarderError("E_CONFLICT", `The key was given by ${secretKeyVariable}, which Larder cannot change.`, {
    hint: `Set ${secretKeyVariable} to NEW,OLD (openssl rand -base64 32 makes one) for every replica; restart them; run this again; then drop OLD.`,
  });
