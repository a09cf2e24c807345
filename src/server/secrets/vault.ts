import { LarderError } from "../../contract/index.ts";
import { type Db, listSigningKeys, listStoredRegistries } from "../../db/index.ts";
import { seal, unseal } from "./seal.ts";
import { createSecretKeys, readSecretKeys, type SecretKeys, secretKeyPath, secretKeyVariable } from "./secret-key.ts";

/** Seals what is secret in the database, with the key that is not there. */
export interface Vault {
  /** Where the key is kept, for messages. */
  readonly source: string;
  seal(plaintext: string, purpose: string): string;
  /** `undefined`: sealed with a key that is not here, or for something else. */
  open(sealed: string, purpose: string): { plaintext: string /** With a key that only opens. */; isOld: boolean } | undefined;
  /** From now on with these. */
  use(keys: SecretKeys): void;
  keys(): SecretKeys;
}

interface VaultOptions {
  db: Db;
  controlDirectory: string;
  /** The setting's value, when it is set. */
  secretKey: string | undefined;
}

/** The key is made at first start. Throws `E_CONFIG` when it is missing though something is sealed. */
export async function openVault({ db, controlDirectory, secretKey }: VaultOptions): Promise<Vault> {
  const found = await readSecretKeys(controlDirectory, secretKey);
  if (found === undefined && (await isAnythingSealed(db))) throw secretKeyMissing(controlDirectory);
  let current = found ?? (await createSecretKeys(controlDirectory));
  return {
    get source() {
      return current.source;
    },
    seal: (plaintext, purpose) => seal(plaintext, current.keys[0], purpose),
    open(sealed, purpose) {
      for (const [index, key] of current.keys.entries()) {
        const plaintext = unseal(sealed, key, purpose);
        if (plaintext !== undefined) return { plaintext, isOld: index > 0 };
      }
      return undefined;
    },
    use(keys) {
      current = keys;
    },
    keys: () => current,
  };
}

async function isAnythingSealed({ query }: Db): Promise<boolean> {
  if ((await listSigningKeys(query)).length > 0) return true;
  return (await listStoredRegistries(query)).some(({ sealedCredentials }) => sealedCredentials !== undefined);
}

const secretKeyMissing = (controlDirectory: string): LarderError =>
  new LarderError("E_CONFIG", `This store's secrets are sealed, and ${secretKeyPath(controlDirectory)} is missing.`, {
    hint: `Put that file back from the data directory that made the store, or set ${secretKeyVariable} to its content.`,
  });
