import { z } from "zod";
import { environmentNameSchema, idSchema, timestampSchema } from "./ids.ts";
import { lockfileHashSchema } from "./integrity.ts";

export const environmentSchema = z.object({
  name: environmentNameSchema,
  createdAt: timestampSchema,
  /** 0 while nothing was ever installed. */
  generation: z.number().int().nonnegative(),
});

export const environmentDetailsSchema = environmentSchema.extend({
  lockfileHash: lockfileHashSchema.optional(),
  /** When the current generation was made. */
  changedAt: timestampSchema.optional(),
  installDue: z.boolean(),
  /** On the allowlist, and how many of them are enabled. */
  packages: z.number().int().nonnegative(),
  enabled: z.number().int().nonnegative(),
  hosts: z.number().int().nonnegative(),
});
export type EnvironmentDetails = z.infer<typeof environmentDetailsSchema>;

export const removedEnvironmentSchema = z.object({ name: environmentNameSchema, revokedHosts: z.array(idSchema) });
