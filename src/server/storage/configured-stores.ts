import { join } from "node:path";
import { type BlobStore, type BlobStores, createBlobStores, openBlobStore } from "../../blobs/index.ts";
import type { Db } from "../../db/index.ts";
import type { ServerConfig } from "../server-config.ts";

/** Every store that this replica can reach, whichever is active: reads fall back on the others, and migrations go from one to another. */
export function createConfiguredStores(
  { blobStore, s3, otherStores }: Pick<ServerConfig, "blobStore" | "s3" | "otherStores">,
  { db, controlDirectory }: { db: Db; controlDirectory: string },
): BlobStores {
  const stores: Record<string, () => Promise<BlobStore>> = {
    fs: () => openBlobStore({ driver: "fs", directory: join(controlDirectory, "blobs") }),
    postgres: () => openBlobStore({ driver: "postgres", db }),
  };
  if (s3 !== undefined) stores.s3 = () => openBlobStore({ driver: "s3", ...s3 });
  // Gone with the process: only for those who ask for it.
  if (blobStore === "memory") stores.memory = () => openBlobStore({ driver: "memory" });
  return createBlobStores({ ...stores, ...otherStores });
}
