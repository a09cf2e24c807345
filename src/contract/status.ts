import { z } from "zod";
import { hostCountsSchema } from "./host-list.ts";
import { environmentNameSchema } from "./ids.ts";
import { operationSchema } from "./operation.ts";
import { storageStatusSchema } from "./storage-status.ts";

export const statusSchema = z.object({
  version: z.string(),
  storeId: z.string(),
  environment: environmentNameSchema,
  /** 0 while nothing was ever installed. */
  generation: z.number().int().nonnegative(),
  /** `null` while nothing was ever installed. */
  lockfileHash: z.string().nullable(),
  installDue: z.boolean(),
  packages: z.number().int().nonnegative(),
  operation: operationSchema.optional(),
  /** Of the environment. */
  fleet: hostCountsSchema,
  storage: storageStatusSchema,
});
export type Status = z.infer<typeof statusSchema>;
