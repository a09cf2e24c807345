import { z } from "zod";
import { errorBodySchema } from "./error-body.ts";
import { environmentNameSchema, idSchema, timestampSchema } from "./ids.ts";
import { progressSchema } from "./operation.ts";
import { platformSchema } from "./platform.ts";

/** pending: nothing to converge to yet, or never heard of · syncing · ready · error (keeps serving what it has). */
export const hostPhases = ["pending", "syncing", "ready", "error"] as const;
export type HostPhase = (typeof hostPhases)[number];

/** What a host says of itself after each change, and at least once a poll. `generation` is what its `current` link serves. */
export const hostReportSchema = z.object({
  phase: z.enum(hostPhases),
  generation: z.number().int().nonnegative(),
  lockfileHash: z.string().optional(),
  platform: platformSchema,
  agentVersion: z.string().max(64),
  error: errorBodySchema.optional(),
  progress: progressSchema.optional(),
  runsInFlight: z.number().int().nonnegative(),
  /** Free bytes of the file system that holds the store. */
  freeBytes: z.number().int().nonnegative().optional(),
});
export type HostReport = z.infer<typeof hostReportSchema>;

export const hostSchema = z.object({
  id: idSchema,
  environment: environmentNameSchema,
  createdAt: timestampSchema,
  lastSeenAt: timestampSchema.optional(),
  /** `generation` 0 means none yet. */
  generation: z.number().int().nonnegative(),
  lockfileHash: z.string().optional(),
  phase: z.enum(hostPhases),
  error: errorBodySchema.optional(),
  progress: progressSchema.optional(),
  platform: platformSchema.optional(),
  agentVersion: z.string().optional(),
  runsInFlight: z.number().int().nonnegative(),
  freeBytes: z.number().int().nonnegative().optional(),
});
export type Host = z.infer<typeof hostSchema>;
