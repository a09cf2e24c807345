import { z } from "zod";
import { idSchema, timestampSchema } from "./ids.ts";
import { blobTroubleSchema } from "./storage-operations.ts";

const count = z.number().int().nonnegative();

/** `failed` and `cancelled` can be resumed: what was moved stays moved, and everything is readable throughout. */
export const migrationStatusSchema = z.object({
  state: z.enum(["idle", "running", "failed", "cancelled"]),
  /** `null` while there is no migration. */
  target: z.string().nullable(),
  operationId: idSchema.optional(),
  /** Of all blobs, those that are on the target; as the index says now. */
  done: count,
  total: count,
  doneBytes: count,
  totalBytes: count,
  bytesPerSecond: count.optional(),
  /** At the present rate. */
  remainingMs: count.optional(),
  /** Why it stopped; `null` while nothing is wrong. */
  error: z.string().nullable(),
  /** What to do about it. */
  hint: z.string().optional(),
  /** The first of the blobs that could not be moved. */
  failures: z.array(blobTroubleSchema).optional(),
});
export type MigrationStatus = z.infer<typeof migrationStatusSchema>;

export const storageStatusSchema = z.object({
  /** The blob store that new blobs go to. */
  active: z.string(),
  blobs: count,
  bytes: count,
  stores: z.array(
    z.object({
      name: z.string(),
      /** False: blobs are recorded there, but this replica was not told how to reach it. */
      configured: z.boolean(),
      blobs: count,
      bytes: count,
      /** Copies that nothing refers to; collection removes them after its grace. */
      strayBlobs: count,
      strayBytes: count,
    }),
  ),
  /** Not referred to by any generation that is kept. */
  unreferenced: z.object({ blobs: count, bytes: count }),
  /** Copies that were read and found damaged, and are not mended yet. */
  quarantined: z.array(blobTroubleSchema.extend({ since: timestampSchema })),
  migration: migrationStatusSchema,
  collection: z.object({
    /** When the latest one ended, and what it reclaimed. */
    endedAt: timestampSchema.optional(),
    reclaimedBytes: count.optional(),
    reclaimedTotalBytes: count,
  }),
});
export type StorageStatus = z.infer<typeof storageStatusSchema>;
