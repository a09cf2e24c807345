import type { BlobStores } from "../../blobs/index.ts";
import type { EnvironmentName, Integrity, LockfileHash, Platform, SignedDesiredState } from "../../contract/index.ts";
import type { Db } from "../../db/index.ts";
import type { PackumentCache } from "../../gateway/index.ts";
import type { Clock, Logger } from "../../lib/index.ts";
import type { RegistryClient } from "../../npm/index.ts";

/** The signing key, behind the one thing it is for. */
export interface DesiredStateSigner {
  readonly storeId: string;
  sign(state: {
    environment: EnvironmentName;
    generation: number;
    lockfileHash: LockfileHash;
    manifestDigest: Integrity;
  }): Promise<SignedDesiredState>;
}

export interface InstallOptions {
  db: Db;
  stores: BlobStores;
  registry: RegistryClient;
  cache: PackumentCache;
  signer: DesiredStateSigner;
  /** Where installs keep what they are working on; emptied at every start. */
  scratchDirectory: string;
  /** Fetched for, besides those of the environment's hosts. */
  platforms: Platform[];
  /** The executable that resolves. */
  bunPath: string;
  clock: Clock;
  logger: Logger;
}
