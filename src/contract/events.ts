import { z } from "zod";
import { hostSchema } from "./host.ts";
import { hostEventSchema } from "./host-event.ts";
import { environmentNameSchema } from "./ids.ts";
import { operationSchema } from "./operation.ts";

/**
 * What `GET /api/events` sends, one JSON object per server-sent event. A hint, never the truth: who misses one polls. `hosts`: so many have changed that
 * they are not told one by one.
 */
export const eventSchema = z.discriminatedUnion("type", [
  ...hostEventSchema.options,
  z.object({ type: z.literal("operation"), operation: operationSchema }),
  z.object({ type: z.literal("packages"), environment: environmentNameSchema }),
  z.object({ type: z.literal("host"), host: hostSchema }),
  z.object({ type: z.literal("hosts") }),
]);
export type Event = z.infer<typeof eventSchema>;
