import { z } from "zod";
import { exactVersionSchema } from "./exact-version.ts";
import { environmentNameSchema, generationNumberSchema, idSchema, timestampSchema } from "./ids.ts";
import { lockfileHashSchema } from "./integrity.ts";
import { packageNameSchema } from "./package-name.ts";

export const generationSchema = z.object({
  environment: environmentNameSchema,
  number: generationNumberSchema,
  lockfileHash: lockfileHashSchema,
  createdAt: timestampSchema,
  createdBy: z.string(),
  reason: z.enum(["install", "rollback"]),
  /** The generation whose manifest a rollback points at. */
  rollbackOf: generationNumberSchema.optional(),
  operationId: idSchema.optional(),
  /** The enabled packages it was resolved from. */
  packages: z.array(z.object({ name: packageNameSchema, version: exactVersionSchema })),
  nodes: z.number().int().nonnegative(),
  current: z.boolean(),
  /** False once collection has dropped its manifest: it cannot be rolled back to or compared. */
  available: z.boolean(),
});
export type Generation = z.infer<typeof generationSchema>;

export const packageChangeSchema = z.object({
  name: packageNameSchema,
  change: z.enum(["added", "removed", "changed"]),
  /** All versions of the name on each side, ascending: a graph may hold several. */
  from: z.array(exactVersionSchema),
  to: z.array(exactVersionSchema),
  /** False when the name is on the allowlist of either side. */
  transitive: z.boolean(),
  /** Packed bytes of the blobs that only the newer side has. */
  addedBytes: z.number().int().nonnegative(),
});
export type PackageChange = z.infer<typeof packageChangeSchema>;

export const generationDiffSchema = z.object({
  environment: environmentNameSchema,
  from: generationNumberSchema,
  to: generationNumberSchema,
  changes: z.array(packageChangeSchema),
  addedBytes: z.number().int().nonnegative(),
});
export type GenerationDiff = z.infer<typeof generationDiffSchema>;
