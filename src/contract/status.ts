import { z } from "zod";
import { hostSchema } from "./host.ts";
import { environmentNameSchema } from "./ids.ts";
import { operationSchema } from "./operation.ts";

export const storageStatusSchema = z.object({
  /** The active blob store's driver. */
  active: z.string(),
  blobs: z.number().int().nonnegative(),
  bytes: z.number().int().nonnegative(),
  migration: z.object({
    state: z.enum(["idle", "running", "failed", "cancelled"]),
    target: z.string().optional(),
    done: z.number().int().nonnegative(),
    total: z.number().int().nonnegative(),
    error: z.string().optional(),
  }),
});
export type StorageStatus = z.infer<typeof storageStatusSchema>;

export const statusSchema = z.object({
  version: z.string(),
  storeId: z.string(),
  environment: environmentNameSchema,
  /** 0 while nothing was ever installed. */
  generation: z.number().int().nonnegative(),
  lockfileHash: z.string().optional(),
  installDue: z.boolean(),
  packages: z.number().int().nonnegative(),
  operation: operationSchema.optional(),
  hosts: z.array(hostSchema),
  storage: storageStatusSchema,
});
export type Status = z.infer<typeof statusSchema>;
