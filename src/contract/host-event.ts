import { z } from "zod";
import { signedDesiredStateSchema } from "./desired-state.ts";
import { environmentNameSchema, idSchema } from "./ids.ts";

/** What `GET /api/desired` answers by now, so that a fleet does not ask for it all at once. */
const offerSchema = z.object({ signed: signedDesiredStateSchema, etag: z.string() });
export type DesiredOffer = z.infer<typeof offerSchema>;

/**
 * Those of the events (`Event`) that a host gets: `desired` of its environment, with the desired state itself, also at the beginning of each stream, and
 * `reconcile` and `run`, a script that waits for it, of its own.
 */
export const hostEventSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("desired"),
    environment: environmentNameSchema,
    generation: z.number().int(),
    offer: offerSchema.optional(),
    /** A host begins at a moment of its own within so long: a fleet that asks at once is put off more often than served. */
    spreadMs: z.number().int().min(0).max(600_000).optional(),
  }),
  z.object({ type: z.literal("reconcile"), hostId: idSchema }),
  z.object({ type: z.literal("run"), hostId: idSchema }),
]);
export type HostEvent = z.infer<typeof hostEventSchema>;
