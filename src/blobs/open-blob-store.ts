import type { Db } from "../db/index.ts";
import type { BlobStore } from "./blob-store.ts";
import type { S3Options } from "./s3/s3-options.ts";

export type BlobStoreOptions =
  | { driver: "fs"; directory: string }
  | { driver: "postgres"; db: Db }
  | ({ driver: "s3" } & S3Options)
  | { driver: "memory" };

/** Drivers are imported when they are asked for: an SDK costs nothing to those who do not use it. */
export async function openBlobStore(options: BlobStoreOptions): Promise<BlobStore> {
  switch (options.driver) {
    case "fs":
      return await (await import("./drivers/fs.ts")).openFsBlobStore(options.directory);
    case "postgres":
      return await (await import("./drivers/postgres.ts")).openPostgresBlobStore(options.db);
    case "s3":
      return await (await import("./drivers/s3.ts")).openS3BlobStore(options);
    case "memory":
      return (await import("./drivers/memory.ts")).createMemoryBlobStore();
  }
}
