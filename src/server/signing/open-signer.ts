import { generateSigningKey, LarderError } from "../../contract/index.ts";
import {
  activeSigningKey,
  type Db,
  ensureSigningKey,
  ensureStoreId,
  listHandovers,
  type StoredSigningKey,
} from "../../db/index.ts";
import type { Clock, Logger } from "../../lib/index.ts";
import { secretKeyVariable } from "../secrets/secret-key.ts";
import type { Vault } from "../secrets/vault.ts";
import { type ActiveKey, createSigner, type Signer } from "./signer.ts";

interface SignerOptions {
  db: Db;
  clock: Clock;
  vault: Vault;
  logger: Logger;
}

export const signingKeyPurpose = (keyId: string): string => `larder signing key ${keyId}`;

/** The store's signing key, made at first start. Throws `E_CONFIG` when it was sealed with another secret key. */
export async function openSigner({ db, clock, vault, logger }: SignerOptions): Promise<Signer> {
  const storeId = await ensureStoreId(db.query);
  const open = async (stored: StoredSigningKey): Promise<ActiveKey> => {
    const { keyId, publicKey } = stored;
    const handover = (await listHandovers(db.query)).find((link) => link.handover.to.keyId === keyId);
    return {
      keyId,
      publicKey,
      privateKey: openPrivateKey(stored, vault),
      sinceMs: Date.parse(handover?.handover.effective ?? "") || 0,
    };
  };
  const loadAnnounced = async () =>
    (await listHandovers(db.query)).find(({ handover }) => handover.effective === null)?.handover.to.keyId;
  const stored = (await activeSigningKey(db.query)) ?? (await createSigningKey(db, vault));
  return createSigner({
    storeId,
    clock,
    logger,
    first: await open(stored),
    announcedFirst: await loadAnnounced(),
    loadAnnounced,
    async load(keyId) {
      const active = await activeSigningKey(db.query);
      return active === undefined || active.keyId === keyId ? undefined : await open(active);
    },
  });
}

/** Throws `E_CONFIG` when it was sealed with another secret key. */
export function openPrivateKey({ keyId, sealedPrivateKey }: StoredSigningKey, vault: Vault): string {
  if (sealedPrivateKey === null) throw new Error(`openPrivateKey: ${keyId} is retired`);
  const opened = vault.open(sealedPrivateKey, signingKeyPurpose(keyId));
  if (opened === undefined) throw secretKeyWrong(vault);
  return opened.plaintext;
}

/** As it is stored. */
export async function makeSigningKey(vault: Vault) {
  const { keyId, publicKey, privateKey } = await generateSigningKey();
  return { keyId, publicKey, sealedPrivateKey: vault.seal(privateKey, signingKeyPurpose(keyId)) };
}

/** Of replicas that start at once one wins; the others get its key, and cannot open it unless they share the secret key. */
const createSigningKey = async (db: Db, vault: Vault): Promise<StoredSigningKey> =>
  await ensureSigningKey(db.query, await makeSigningKey(vault));

const secretKeyWrong = ({ source }: Vault): LarderError =>
  new LarderError("E_CONFIG", `${source} is not the key that this store's signing key is sealed with.`, {
    hint: `Replicas share one secret key: give each the first one's control/secret-key, or set ${secretKeyVariable} to its content.`,
  });
