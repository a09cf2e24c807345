import { z } from "zod";
import { timestampSchema } from "./ids.ts";
import { blobKeySchema } from "./integrity.ts";

// What operations on the whole blob store are asked, and what they answer. Bytes are as stored; times in milliseconds.

const count = z.number().int().nonnegative();
/** A blob store's name as configured: its driver's. */
export const storeNameSchema = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, "not the name of a blob store");
const parallelSchema = z.number().int().min(1).max(32).describe("How many blobs at a time");
const bytesPerSecondSchema = z.number().int().min(1024).describe("Bytes per second at most; absent: as fast as it goes");

/** A blob that something is wrong with, for a person to act on. */
export const blobTroubleSchema = z.object({
  blob: blobKeySchema,
  /** Where. */
  store: z.string(),
  code: z.string(),
  message: z.string(),
  /** `name@version` of what it is the tarball of, as far as a manifest says. */
  packages: z.array(z.string()),
});
export type BlobTrouble = z.infer<typeof blobTroubleSchema>;
/** Lists of troubled blobs are cut here; their counts are not. */
export const troublesListed = 100;

export const migrateInputSchema = z.object({
  target: storeNameSchema,
  parallel: parallelSchema.default(4),
  bytesPerSecond: bytesPerSecondSchema.optional(),
});
export type MigrateInput = z.infer<typeof migrateInputSchema>;

export const migrateResultSchema = z.object({
  target: z.string(),
  /** The active store before. */
  previous: z.string(),
  copied: count,
  copiedBytes: count,
  /** Were on the target already, whole: only read and hashed. */
  alreadyThere: count,
  /** All that are on the target now. */
  blobs: count,
  bytes: count,
  durationMs: z.number(),
});
export type MigrateResult = z.infer<typeof migrateResultSchema>;

export const migratePlanSchema = z.object({
  active: z.string(),
  target: z.string(),
  /** All blobs, and those that are recorded elsewhere than on the target. */
  blobs: count,
  bytes: count,
  toMove: count,
  bytesToMove: count,
  from: z.array(z.object({ store: z.string(), blobs: count, bytes: count })),
  /** False: everything is where it should be, nothing would be touched. */
  needed: z.boolean(),
});
export type MigratePlan = z.infer<typeof migratePlanSchema>;

export const collectInputSchema = z.object({
  /** From when something stopped being referenced. */
  graceMs: z
    .number()
    .int()
    .nonnegative()
    .default(24 * 3600_000),
  /** Generations of each environment that stay besides the current one. */
  keep: z.number().int().min(0).max(10_000).default(1),
});
export type CollectInput = z.infer<typeof collectInputSchema>;

const amountSchema = z.object({ blobs: count, bytes: count });

export const collectResultSchema = z.object({
  /** Manifests whose generations can no longer be rolled back to. */
  manifests: count,
  /** Blobs that nothing referred to. */
  deleted: amountSchema,
  /** Bytes that no row named, and copies that a migration left behind. */
  strays: amountSchema,
  /** Not referred to, but not for long enough. */
  keptWithinGrace: amountSchema,
  /** Referred to again in the last moment. */
  revived: count,
  /** Tried again by the next pass. */
  failed: count,
  /** Without `blob`: the whole store. */
  failures: z.array(z.object({ blob: blobKeySchema.optional(), store: z.string(), message: z.string() })),
  reclaimedBytes: count,
  /** By all collections so far. */
  reclaimedTotalBytes: count,
  durationMs: z.number(),
});
export type CollectResult = z.infer<typeof collectResultSchema>;

export const collectPlanSchema = z.object({
  manifests: count,
  deleted: amountSchema,
  strays: amountSchema,
  keptWithinGrace: amountSchema,
});
export type CollectPlan = z.infer<typeof collectPlanSchema>;

export const auditInputSchema = z.object({
  /** Blobs that were read and found right since then are left out. */
  since: timestampSchema,
  parallel: parallelSchema.default(4),
  bytesPerSecond: bytesPerSecondSchema.optional(),
});
export type AuditInput = z.infer<typeof auditInputSchema>;

export const auditResultSchema = z.object({
  checked: count,
  checkedBytes: count,
  repaired: count,
  /** Neither another store nor the registry had them whole. */
  broken: count,
  troubles: z.array(blobTroubleSchema.extend({ repaired: z.boolean() })),
  durationMs: z.number(),
});
export type AuditResult = z.infer<typeof auditResultSchema>;
