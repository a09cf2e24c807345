import { z } from "zod";
import { environmentNameSchema, idSchema } from "../contract/index.ts";

/** What replicas tell each other through the database: that something changed. Whoever hears it reads the row again. */
const noticeSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("operation"), id: idSchema }),
  z.object({ type: z.literal("desired"), environment: environmentNameSchema, generation: z.number() }),
  z.object({ type: z.literal("packages"), environment: environmentNameSchema }),
  z.object({ type: z.literal("hosts"), ids: z.array(idSchema) }),
  z.object({ type: z.literal("reconcile"), hostId: idSchema }),
]);
export type Notice = z.infer<typeof noticeSchema>;

export const notice = (value: Notice): string => JSON.stringify(value);

/** `undefined` for what another version of Larder may have sent. */
export function parseNotice(payload: string): Notice | undefined {
  try {
    return noticeSchema.safeParse(JSON.parse(payload)).data;
  } catch {
    return undefined;
  }
}
