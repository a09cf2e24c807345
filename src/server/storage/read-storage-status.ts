import type { BlobStores } from "../../blobs/index.ts";
import type { StorageStatus } from "../../contract/index.ts";
import {
  blobUsage,
  getActiveStore,
  latestOperation,
  listQuarantinedBlobs,
  listStoreUsage,
  type Queryable,
  reclaimedBytes,
  strayUsage,
  unreferencedUsage,
} from "../../db/index.ts";
import { namePackages, readMigrationStatus } from "../../operations/index.ts";

/** Where bytes are, what is wrong with them, and what is being done to them. From the database alone: no store is asked. */
export async function readStorageStatus(tx: Queryable, stores: Pick<BlobStores, "names">): Promise<StorageStatus> {
  const active = (await getActiveStore(tx)) ?? "none";
  return {
    active,
    ...(await blobUsage(tx)),
    stores: await readStores(tx, active, stores.names),
    unreferenced: await unreferencedUsage(tx),
    quarantined: await readQuarantined(tx),
    migration: await readMigrationStatus(tx),
    collection: await readCollection(tx),
  };
}

async function readStores(tx: Queryable, active: string, configured: readonly string[]): Promise<StorageStatus["stores"]> {
  const [usage, strays] = [await listStoreUsage(tx), await strayUsage(tx)];
  const names = new Set([active, ...configured, ...usage.map(({ store }) => store), ...strays.map(({ store }) => store)]);
  return [...names].sort().map((name) => {
    const held = usage.find(({ store }) => store === name);
    const stray = strays.find(({ store }) => store === name);
    return {
      name,
      configured: configured.includes(name),
      blobs: held?.blobs ?? 0,
      bytes: held?.bytes ?? 0,
      strayBlobs: stray?.blobs ?? 0,
      strayBytes: stray?.bytes ?? 0,
    };
  });
}

async function readQuarantined(tx: Queryable): Promise<StorageStatus["quarantined"]> {
  const found = await listQuarantinedBlobs(tx);
  return await namePackages(
    tx,
    found.map(({ key, store, reason, foundAt }) => ({
      blob: key,
      store,
      code: reason === "missing" ? "E_BLOB_MISSING" : "E_BLOB_CORRUPT",
      message: reason === "missing" ? `${store} does not have it.` : `Its copy in ${store} is damaged.`,
      since: foundAt,
    })),
  );
}

async function readCollection(tx: Queryable): Promise<StorageStatus["collection"]> {
  const latest = await latestOperation(tx, "collect");
  return {
    ...(latest?.endedAt === undefined ? {} : { endedAt: latest.endedAt }),
    ...(latest?.result === undefined ? {} : { reclaimedBytes: latest.result.reclaimedBytes }),
    reclaimedTotalBytes: await reclaimedBytes(tx),
  };
}
