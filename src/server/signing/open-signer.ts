import { generateSigningKey, LarderError } from "../../contract/index.ts";
import { activeSigningKey, type Db, ensureSigningKey, ensureStoreId, type StoredSigningKey } from "../../db/index.ts";
import type { Clock } from "../../lib/index.ts";
import { seal, unseal } from "./seal.ts";
import { createSecretKey, readSecretKey, type SecretKey, secretKeyPath, secretKeyVariable } from "./secret-key.ts";
import { createSigner, type Signer } from "./signer.ts";

interface SignerOptions {
  db: Db;
  clock: Clock;
  controlDirectory: string;
  /** The setting's value, when it is set. */
  secretKey: string | undefined;
}

const purposeOf = (keyId: string): string => `larder signing key ${keyId}`;

/** The store's signing key, made at first start. Throws `E_CONFIG` when the secret key that sealed it is missing or another one. */
export async function openSigner({ db, clock, controlDirectory, secretKey: setting }: SignerOptions): Promise<Signer> {
  const storeId = await ensureStoreId(db.query);
  const found = await readSecretKey(controlDirectory, setting);
  const stored = await activeSigningKey(db.query);
  if (stored && found === undefined) throw secretKeyMissing(controlDirectory);
  const secret = found ?? (await createSecretKey(controlDirectory));
  const { keyId, publicKey, sealedPrivateKey } = stored ?? (await createSigningKey(db, secret));
  const privateKey = unseal(sealedPrivateKey, secret.bytes, purposeOf(keyId));
  if (privateKey === undefined) throw secretKeyWrong(secret);
  return createSigner({ key: { keyId, publicKey, privateKey }, storeId, clock });
}

/** Of replicas that start at once one wins; the others get its key, and cannot open it unless they share the secret key. */
async function createSigningKey(db: Db, secret: SecretKey): Promise<StoredSigningKey> {
  const { keyId, publicKey, privateKey } = await generateSigningKey();
  return await ensureSigningKey(db.query, {
    keyId,
    publicKey,
    sealedPrivateKey: seal(privateKey, secret.bytes, purposeOf(keyId)),
  });
}

const secretKeyMissing = (controlDirectory: string): LarderError =>
  new LarderError("E_CONFIG", `This store's signing key is sealed, and ${secretKeyPath(controlDirectory)} is missing.`, {
    hint: `Put that file back from the data directory that made the store, or set ${secretKeyVariable} to its content.`,
  });

const secretKeyWrong = ({ source }: SecretKey): LarderError =>
  new LarderError("E_CONFIG", `${source} is not the key that this store's signing key is sealed with.`, {
    hint: `Replicas share one secret key: give each the first one's control/secret-key, or set ${secretKeyVariable} to its content.`,
  });
