import { currentGeneration, getAllowlist, groupHosts, listOperations } from "../../db/index.ts";
import type { ServerContext } from "../context.ts";
import { readStorageStatus } from "../storage/read-storage-status.ts";
import { api } from "./api.ts";
import { requireEnvironment } from "./environment-routes.ts";

export const statusRoutes = ({ db, stores, signer, version }: ServerContext) =>
  api.status.router({
    get: api.status.get.handler(async ({ input: { environment } }) => {
      await requireEnvironment(db.query, environment);
      const generation = await currentGeneration(db.query, environment);
      const allowlist = await getAllowlist(db.query, environment);
      const [operation] = await listOperations(db.query, { environment, limit: 1 });
      return {
        version,
        storeId: signer.storeId,
        environment,
        generation: generation?.number ?? 0,
        lockfileHash: generation?.lockfileHash ?? null,
        installDue: allowlist?.installDue ?? false,
        packages: allowlist?.packages.length ?? 0,
        ...(operation ? { operation } : {}),
        fleet: await groupHosts(db.query, { environment }),
        storage: await readStorageStatus(db.query, stores),
      };
    }),
  });
