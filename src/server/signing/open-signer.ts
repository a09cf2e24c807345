import { generateSigningKey, LarderError } from "../../contract/index.ts";
import { activeSigningKey, type Db, ensureSigningKey, ensureStoreId, type StoredSigningKey } from "../../db/index.ts";
import type { Clock } from "../../lib/index.ts";
import { secretKeyVariable } from "../secrets/secret-key.ts";
import type { Vault } from "../secrets/vault.ts";
import { createSigner, type Signer } from "./signer.ts";

interface SignerOptions {
  db: Db;
  clock: Clock;
  vault: Vault;
}

export const signingKeyPurpose = (keyId: string): string => `larder signing key ${keyId}`;

/** The store's signing key, made at first start. Throws `E_CONFIG` when it was sealed with another secret key. */
export async function openSigner({ db, clock, vault }: SignerOptions): Promise<Signer> {
  const storeId = await ensureStoreId(db.query);
  const stored = await activeSigningKey(db.query);
  const { keyId, publicKey, sealedPrivateKey } = stored ?? (await createSigningKey(db, vault));
  const opened = vault.open(sealedPrivateKey, signingKeyPurpose(keyId));
  if (opened === undefined) throw secretKeyWrong(vault);
  return createSigner({ key: { keyId, publicKey, privateKey: opened.plaintext }, storeId, clock });
}

/** Of replicas that start at once one wins; the others get its key, and cannot open it unless they share the secret key. */
async function createSigningKey(db: Db, vault: Vault): Promise<StoredSigningKey> {
  const { keyId, publicKey, privateKey } = await generateSigningKey();
  return await ensureSigningKey(db.query, {
    keyId,
    publicKey,
    sealedPrivateKey: vault.seal(privateKey, signingKeyPurpose(keyId)),
  });
}

const secretKeyWrong = ({ source }: Vault): LarderError =>
  new LarderError("E_CONFIG", `${source} is not the key that this store's signing key is sealed with.`, {
    hint: `Replicas share one secret key: give each the first one's control/secret-key, or set ${secretKeyVariable} to its content.`,
  });
