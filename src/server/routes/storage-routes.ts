import type { StorageStatus } from "../../contract/index.ts";
import { blobUsage, type Queryable } from "../../db/index.ts";
import type { ServerContext } from "../context.ts";
import { api } from "./api.ts";

export const storageRoutes = ({ db, blobs }: ServerContext) =>
  api.storage.router({
    status: api.storage.status.handler(() => readStorageStatus(db.query, blobs.name)),
  });

export async function readStorageStatus(tx: Queryable, active: string): Promise<StorageStatus> {
  return { active, ...(await blobUsage(tx)), migration: { state: "idle", done: 0, total: 0 } };
}
