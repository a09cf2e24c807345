import { oc } from "@orpc/contract";
import { z } from "zod";
import { auditOperationSchema, collectOperationSchema, migrateOperationSchema, startedSchema } from "./operation.ts";
import {
  auditInputSchema,
  collectInputSchema,
  collectPlanSchema,
  migrateInputSchema,
  migratePlanSchema,
  storeNameSchema,
} from "./storage-operations.ts";
import { storageStatusSchema } from "./storage-status.ts";

/** The blob stores and what is done to all of them. */
export const storageContract = {
  status: oc.route({ method: "GET", path: "/storage", summary: "The blob stores" }).output(storageStatusSchema),
  planMigration: oc
    .route({ method: "GET", path: "/storage/migrations/plan", summary: "What a migration would move" })
    .input(z.object({ target: storeNameSchema }))
    .output(migratePlanSchema),
  migrate: oc
    .route({
      method: "POST",
      path: "/storage/migrations",
      successStatus: 202,
      summary: "Start moving all blobs to another store, or join that migration; refused when the target cannot be used",
    })
    .input(migrateInputSchema)
    .output(startedSchema(migrateOperationSchema)),
  resumeMigration: oc
    .route({
      method: "POST",
      path: "/storage/migrations/resume",
      successStatus: 202,
      summary: "Go on with the migration that failed or was cancelled",
    })
    .input(migrateInputSchema.omit({ target: true }).partial())
    .output(startedSchema(migrateOperationSchema)),
  cancelMigration: oc
    .route({ method: "POST", path: "/storage/migrations/cancel", summary: "Stop the migration under way; what was moved stays" })
    .output(migrateOperationSchema),
  planCollection: oc
    .route({ method: "GET", path: "/storage/collections/plan", summary: "What a collection would delete" })
    .input(z.object({ graceMs: z.coerce.number(), keep: z.coerce.number() }).partial().pipe(collectInputSchema))
    .output(collectPlanSchema),
  collect: oc
    .route({
      method: "POST",
      path: "/storage/collections",
      successStatus: 202,
      summary: "Delete what nothing has referred to for long enough, or join the collection under way",
    })
    .input(collectInputSchema)
    .output(startedSchema(collectOperationSchema)),
  verify: oc
    .route({
      method: "POST",
      path: "/storage/verifications",
      successStatus: 202,
      summary: "Read and hash every blob and mend what is broken, or join the verification under way",
    })
    .input(
      auditInputSchema.omit({ since: true }).extend({
        maxAgeMs: z.number().int().nonnegative().optional().describe("Leaves out blobs that were verified within this time"),
      }),
    )
    .output(startedSchema(auditOperationSchema)),
};
