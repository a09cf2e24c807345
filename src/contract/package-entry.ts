import { z } from "zod";
import { exactVersionSchema } from "./exact-version.ts";
import { timestampSchema } from "./ids.ts";
import { packageNameSchema } from "./package-name.ts";

/** One line of an environment's allowlist. A name occurs once per environment. */
export const packageEntrySchema = z.object({
  name: packageNameSchema,
  version: exactVersionSchema,
  enabled: z.boolean(),
  addedBy: z.string(),
  addedAt: timestampSchema,
});
export type PackageEntry = z.infer<typeof packageEntrySchema>;

/** What to pin. */
export const pinRequestSchema = z.object({
  name: packageNameSchema,
  version: exactVersionSchema.optional().describe("Absent: the newest that policy allows"),
  range: z.string().min(1).max(256).optional().describe("Without a version: the newest of these"),
});
export type PinRequest = z.infer<typeof pinRequestSchema>;

/** The allowlist and the number that every change to it increments: what a commit compares and sets. */
export const allowlistSchema = z.object({
  revision: z.number().int().nonnegative(),
  packages: z.array(packageEntrySchema),
  /** True when the enabled packages are not what the current generation was resolved from: an install is due. */
  installDue: z.boolean(),
});
export type Allowlist = z.infer<typeof allowlistSchema>;
