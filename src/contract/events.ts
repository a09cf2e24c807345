import { z } from "zod";
import { hostSchema } from "./host.ts";
import { environmentNameSchema, idSchema } from "./ids.ts";
import { operationSchema } from "./operation.ts";

/**
 * What `GET /api/events` sends, one JSON object per server-sent event. A hint, never the truth: who misses one polls. A host gets `desired` of its
 * environment, and `reconcile` and `run`, a script that waits for it, of its own.
 */
export const eventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("desired"), environment: environmentNameSchema, generation: z.number().int() }),
  z.object({ type: z.literal("reconcile"), hostId: idSchema }),
  z.object({ type: z.literal("run"), hostId: idSchema }),
  z.object({ type: z.literal("operation"), operation: operationSchema }),
  z.object({ type: z.literal("packages"), environment: environmentNameSchema }),
  z.object({ type: z.literal("host"), host: hostSchema }),
]);
export type Event = z.infer<typeof eventSchema>;
