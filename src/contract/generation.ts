import { z } from "zod";
import { exactVersionSchema } from "./exact-version.ts";
import { environmentNameSchema, generationNumberSchema, idSchema, timestampSchema } from "./ids.ts";
import { lockfileHashSchema } from "./integrity.ts";
import { packageNameSchema } from "./package-name.ts";

const amount = z.number().int().nonnegative();

/** Packages by name, against the generation before; all that it has, for the first. */
export const generationChangesSchema = z.object({
  added: amount,
  removed: amount,
  changed: amount,
  /** Packed bytes of the blobs that the generation before does not have. */
  addedBytes: amount,
});
export type GenerationChanges = z.infer<typeof generationChangesSchema>;

export const noteSchema = z.string().trim().max(1000);

export const generationSchema = z.object({
  environment: environmentNameSchema,
  number: generationNumberSchema,
  lockfileHash: lockfileHashSchema,
  createdAt: timestampSchema,
  createdBy: z.string(),
  reason: z.enum(["install", "rollback", "promotion"]),
  /** The generation whose manifest a rollback points at. */
  rollbackOf: generationNumberSchema.optional(),
  /** Where a promotion's manifest comes from. */
  promotedFrom: z.object({ environment: environmentNameSchema, number: generationNumberSchema }).optional(),
  operationId: idSchema.optional(),
  note: noteSchema.optional(),
  /** Absent where it was not counted: in generations that an older Larder made, and after one whose manifest was collected. */
  changes: generationChangesSchema.optional(),
  /** The enabled packages it was resolved from. */
  packages: z.array(z.object({ name: packageNameSchema, version: exactVersionSchema })),
  nodes: amount,
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
  /** Packed bytes of the blobs that only the newer side has: what a host fetches at most. */
  addedBytes: amount,
  /** Of those, unpacked. */
  addedUnpackedBytes: amount,
  /** Packed bytes of the blobs that only the older side has. */
  removedBytes: amount,
});
export type PackageChange = z.infer<typeof packageChangeSchema>;

/** Of one side of a comparison. Bytes are of the blobs that are stored: those of platforms that nobody stocks are not counted. */
export const generationSizeSchema = z.object({ nodes: amount, packedBytes: amount, unpackedBytes: amount });
export type GenerationSize = z.infer<typeof generationSizeSchema>;

export const generationDiffSchema = z.object({
  environment: environmentNameSchema,
  from: generationNumberSchema,
  to: generationNumberSchema,
  changes: z.array(packageChangeSchema),
  /** Packed bytes of all blobs that only the newer side has, each once. */
  addedBytes: amount,
  addedUnpackedBytes: amount,
  removedBytes: amount,
  sizes: z.object({ from: generationSizeSchema, to: generationSizeSchema }),
});
export type GenerationDiff = z.infer<typeof generationDiffSchema>;
