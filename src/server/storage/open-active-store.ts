import type { BlobStores } from "../../blobs/index.ts";
import { LarderError } from "../../contract/index.ts";
import { type Db, ensureActiveStore, holdsWantedBlobs, setActiveStore } from "../../db/index.ts";
import type { Logger } from "../../lib/index.ts";
import type { ServerConfig } from "../server-config.ts";

interface Opening {
  db: Db;
  stores: BlobStores;
  logger: Logger;
  config: Pick<ServerConfig, "blobStore" | "database">;
}

/**
 * Opens the store that new blobs go to, so that a wrong setting is told at start. One that does not answer just now is not waited for: what is stored
 * elsewhere can be served meanwhile. Throws `E_CONFLICT` rather than leave blobs behind in the store that was active so far.
 */
export async function openActiveStore({ db, stores, logger, config }: Opening): Promise<void> {
  const active = await chooseStore({ db, stores, config });
  try {
    await stores.open(active);
  } catch (error) {
    if (!(error instanceof LarderError && error.retryable)) throw error;
    logger.warn({ err: error, store: active }, "the active blob store cannot be used now; it is tried again when it is needed");
  }
}

async function chooseStore({ db, stores, config }: Omit<Opening, "logger">): Promise<string> {
  const wanted = config.blobStore;
  if (wanted !== undefined && !stores.names.includes(wanted)) throw unknown(wanted, stores);
  const recorded = await ensureActiveStore(db.query, wanted ?? (typeof config.database === "object" ? "postgres" : "fs"));
  if (wanted === undefined || wanted === recorded) {
    if (stores.names.includes(recorded)) return recorded;
    throw unknown(recorded, stores);
  }
  return await db.transaction(async (tx) => {
    if (await holdsWantedBlobs(tx, recorded)) {
      throw new LarderError("E_CONFLICT", `Blobs are in the store ${recorded}, and this server was told to use ${wanted}.`, {
        hint: `Start without --blob-store, and move them with \`larder storage migrate ${wanted}\`.`,
        details: { active: recorded, wanted },
      });
    }
    await setActiveStore(tx, wanted);
    return wanted;
  });
}

const unknown = (name: string, { names }: BlobStores): LarderError =>
  new LarderError("E_CONFIG", `This server was not told how to reach the blob store ${name}; it knows ${names.join(", ")}.`, {
    hint:
      name === "s3" ? "Give --s3-bucket, and what else docs/storage.md says." : "See docs/storage.md for the settings of each.",
    details: { store: name },
  });
