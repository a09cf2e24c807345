import { z } from "zod";
import { type Id, idSchema } from "../../contract/index.ts";
import { type Notice as OperationNotice, parseNotice as parseOperationNotice } from "../../operations/index.ts";

const revokedSchema = z.object({
  type: z.literal("revoked"),
  tokenId: idSchema.optional(),
  hostId: idSchema.optional(),
  sessionId: idSchema.optional(),
});

/** `run`: a script waits for the host. `runEnded`: whoever waits for that script has an answer. */
const runSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("run"), hostId: idSchema }),
  z.object({ type: z.literal("runEnded"), id: idSchema }),
]);
/** Their settings changed, or the key that seals their credentials. */
const registriesSchema = z.object({ type: z.literal("registries") });
/** Another signing key is active. */
const signingKeySchema = z.object({ type: z.literal("signingKey") });
const ownSchema = z.union([revokedSchema, runSchema, registriesSchema, signingKeySchema]);

/** What replicas tell each other: which row to look at again; and which token, host's token or session must be forgotten now. */
export type Notice = OperationNotice | z.infer<typeof ownSchema> | ResumedNotice;

/** Never sent: what a replica tells itself when it hears the others again, and may have missed what they said meanwhile. All that is kept is read again. */
interface ResumedNotice {
  type: "resumed";
}

export const formatNotice = (notice: Notice): string => JSON.stringify(notice);

/** A notice has room for so many ids of the longest kind. */
const idsInNotice = 100;

/** What to tell of hosts that changed, in as few notices as hold them. */
export function hostsNotices(ids: readonly Id[]): string[] {
  const unique = [...new Set(ids)];
  return Array.from({ length: Math.ceil(unique.length / idsInNotice) }, (_, i) =>
    formatNotice({ type: "hosts", ids: unique.slice(i * idsInNotice, (i + 1) * idsInNotice) }),
  );
}

/** `undefined` for what another version says and this one does not know: a notice is a hint. */
export function parseNotice(payload: string): Notice | undefined {
  const known = parseOperationNotice(payload);
  if (known) return known;
  try {
    return ownSchema.safeParse(JSON.parse(payload)).data;
  } catch {
    // Not JSON, so not a notice.
    return undefined;
  }
}
