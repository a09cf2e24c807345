import { z } from "zod";
import { exactVersionSchema } from "./exact-version.ts";
import { environmentNameSchema, idSchema, timestampSchema } from "./ids.ts";
import { packageNameSchema } from "./package-name.ts";
import { versionRangeSchema, waivableRules } from "./policy.ts";

/** An exception from one rule, for versions of one package, or, from `unknown-age` only, for all that one registry has. */
export const waiverSchema = z.object({
  id: idSchema,
  environment: environmentNameSchema,
  rule: z.enum(waivableRules),
  name: packageNameSchema.optional(),
  range: versionRangeSchema.optional(),
  /** Host, with its port when it has one. */
  registry: z.string().optional(),
  reason: z.string(),
  createdBy: z.string(),
  createdAt: timestampSchema,
  expiresAt: timestampSchema.optional(),
  /** By the database's clock. */
  expired: z.boolean(),
});
export type Waiver = z.infer<typeof waiverSchema>;

export const newWaiverSchema = z
  .object({
    rule: z.enum(waivableRules),
    name: packageNameSchema.optional(),
    range: versionRangeSchema.optional().describe("Absent: all versions"),
    registry: z
      .string()
      .regex(/^[a-z0-9.[\]:-]{1,255}$/i, "not a host")
      .transform((host) => host.toLowerCase())
      .optional(),
    reason: z.string().trim().min(1).max(500),
    expiresInMs: z
      .number()
      .int()
      .positive()
      .max(3650 * 86_400_000)
      .optional()
      .describe("Absent: never"),
  })
  .refine((value) => (value.name === undefined) !== (value.registry === undefined), "give either a name or a registry")
  .refine((value) => value.registry === undefined || value.rule === "unknown-age", "a registry is waived from unknown-age only")
  .refine((value) => value.range === undefined || value.name !== undefined, "a range is of a name");
export type NewWaiver = z.input<typeof newWaiverSchema>;

/** One version that no environment may have. */
export const revocationSchema = z.object({
  name: packageNameSchema,
  version: exactVersionSchema,
  reason: z.string().optional(),
  revokedBy: z.string(),
  revokedAt: timestampSchema,
});
export type Revocation = z.infer<typeof revocationSchema>;
