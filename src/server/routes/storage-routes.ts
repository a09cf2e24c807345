import { type BlobKey, LarderError, migrateInputSchema } from "../../contract/index.ts";
import { activeOperation, recordAudit, requestOperationCancel } from "../../db/index.ts";
import {
  migrationToResume,
  probeStore,
  readCollectionPlan,
  readMigrationPlan,
  requestAudit,
  requestCollection,
  requestMigration,
} from "../../operations/index.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice } from "../events/notice.ts";
import { readStorageStatus } from "../storage/read-storage-status.ts";
import { api } from "./api.ts";

/** Asked for to see whether a store answers. */
const noBlob = "0".repeat(128) as BlobKey;

export const storageRoutes = ({ db, stores, clock }: ServerContext) => {
  /** Throws what keeps the target from being used, before anything was started. A store that holds everything already is not touched. */
  const assertUsable = async (target: string, signal: AbortSignal): Promise<void> => {
    const store = await stores.open(target);
    const { needed } = await readMigrationPlan(db.query, target);
    if (needed) await probeStore(store, signal);
  };
  return api.storage.router({
    status: api.storage.status.handler(() => readStorageStatus(db.query, stores)),

    planMigration: api.storage.planMigration.handler(async ({ input: { target } }) => {
      await (await stores.open(target)).head(noBlob);
      return await readMigrationPlan(db.query, target);
    }),

    migrate: api.storage.migrate.handler(async ({ input, context: { principal, signal } }) => {
      await assertUsable(input.target, signal);
      return await requestMigration(db, { input, requestedBy: principal.subject });
    }),

    resumeMigration: api.storage.resumeMigration.handler(async ({ input, context: { principal, signal } }) => {
      const stopped = await migrationToResume(db);
      await assertUsable(stopped.target, signal);
      return await requestMigration(db, {
        input: migrateInputSchema.parse({ ...stopped, ...input }),
        requestedBy: principal.subject,
      });
    }),

    cancelMigration: api.storage.cancelMigration.handler(({ context: { principal } }) =>
      db.transaction(async (tx) => {
        const underWay = await activeOperation(tx, { kind: "migrate" });
        const asked = underWay && (await requestOperationCancel(tx, underWay.id));
        const cancelled = asked?.operation;
        if (cancelled?.kind !== "migrate") {
          throw new LarderError("E_CONFLICT", "No migration is under way.", {
            hint: "`larder storage status` shows where blobs are.",
          });
        }
        if (!asked?.changed) return cancelled;
        const { id, input } = cancelled;
        await recordAudit(tx, {
          actor: principal.subject,
          action: "storage.cancel",
          target: input.target,
          details: { operation: id },
        });
        await db.notify(tx, formatNotice({ type: "operation", id }));
        return cancelled;
      }),
    ),

    planCollection: api.storage.planCollection.handler(({ input }) => readCollectionPlan(db.query, input)),

    collect: api.storage.collect.handler(({ input, context: { principal } }) =>
      requestCollection(db, { input, requestedBy: principal.subject }),
    ),

    verify: api.storage.verify.handler(({ input: { maxAgeMs = 0, ...limits }, context: { principal } }) => {
      const since = new Date(clock.now() - maxAgeMs).toISOString();
      return requestAudit(db, { input: { since, ...limits }, requestedBy: principal.subject });
    }),
  });
};
