import { z } from "zod";
import { canonicalJson } from "./canonical-json.ts";
import { isTextSignedBy, keyIdOf, signText } from "./ed25519.ts";
import { timestampSchema } from "./ids.ts";
import { LarderError } from "./larder-error.ts";
import type { SigningKey } from "./signing.ts";

const domain = "larder key handover v1\n";

export const publicHalfSchema = z.object({
  /** See `keyIdOf`. */
  keyId: z.string().max(64),
  /** Raw Ed25519, base64. */
  publicKey: z.string().max(64),
});

export type PublicHalf = z.infer<typeof publicHalfSchema>;

/** One signing key says which comes after it. */
const handoverSchema = z.object({
  format: z.literal(1),
  storeId: z.string().min(8).max(64),
  from: publicHalfSchema,
  to: publicHalfSchema,
  /** Each handover's is one more than that of the one before. */
  sequence: z.number().int().positive(),
  announcedAt: timestampSchema,
  /** `null`: the next key is announced, and signs nothing yet. */
  effective: timestampSchema.nullable(),
});
export type Handover = z.infer<typeof handoverSchema>;

const signedHandoverSchema = z.object({
  handover: handoverSchema,
  /** By `from`, base64. */
  signature: z.string().max(128),
});
export type SignedHandover = z.infer<typeof signedHandoverSchema>;

/** Every handover since the first key, in order; the last may be an announcement. */
export const signingChainSchema = z.array(signedHandoverSchema).max(1000);
export type SigningChain = z.infer<typeof signingChainSchema>;

export async function signHandover(handover: Handover, key: Pick<SigningKey, "privateKey">): Promise<SignedHandover> {
  return { handover, signature: await signText(domain + canonicalJson(handover), key.privateKey) };
}

/** The key that was reached, and since when it signs. */
export interface FollowedKey {
  publicKey: string;
  effective: string;
}

/** The key that `by` has announced as the next one, and that signs nothing yet; `undefined`: none, or not genuinely. */
export async function announcedKey(
  chain: SigningChain,
  { storeId, by }: { storeId: string; by: string },
): Promise<PublicHalf | undefined> {
  for (const link of chain) {
    const { handover } = link;
    const isIt = handover.storeId === storeId && handover.from.keyId === by && handover.effective === null;
    if (isIt && (await isGenuine(link))) return handover.to;
  }
  return undefined;
}

/**
 * From the trusted key to another, each step signed by the key before it. `announced`: what `from` has announced; then nobody else comes after it. Throws
 * `E_SIGNATURE` when the steps do not lead there, or when the key was announced and is not the active one yet.
 */
export async function followSigningChain(
  chain: SigningChain,
  { storeId, from, to, announced }: { storeId: string; from: string; to: string; announced?: string | undefined },
): Promise<FollowedKey> {
  const start = chain.findIndex(({ handover }) => handover.from.keyId === from);
  let [trusted, sequence, since] = [from, chain[start]?.handover.sequence ?? 0, ""];
  for (const link of start < 0 ? [] : chain.slice(start)) {
    const { handover } = link;
    const { effective } = handover;
    const continues = handover.storeId === storeId && handover.from.keyId === trusted && handover.sequence === sequence;
    if (!continues || !(await isGenuine(link))) break;
    if (announced !== undefined && trusted === from && handover.to.keyId !== announced) {
      throw notAnnounced(handover.to.keyId, announced);
    }
    if (effective === null) {
      if (handover.to.keyId === to) throw notYet(to);
      break;
    }
    if (effective < since) break;
    if (handover.to.keyId === to) return { publicKey: handover.to.publicKey, effective };
    [trusted, sequence, since] = [handover.to.keyId, sequence + 1, effective];
  }
  throw unknownKey(from, to);
}

/** Signed by `from`; and both key ids are those of their keys. */
async function isGenuine({ handover, signature }: SignedHandover): Promise<boolean> {
  for (const { keyId, publicKey } of [handover.from, handover.to]) {
    if ((await keyIdOf(publicKey).catch(() => undefined)) !== keyId) return false;
  }
  return await isTextSignedBy(domain + canonicalJson(handover), signature, handover.from.publicKey);
}

const notYet = (keyId: string): LarderError =>
  new LarderError("E_SIGNATURE", `Key ${keyId} was announced as the next one, and does not sign yet.`, {
    hint: "If nobody ran `larder keys rotate` on the control plane, somebody else has its next key.",
    details: { keyId },
  });

/** Also what a host says of a second announcement. */
export const notAnnounced = (keyId: string, announced: string): LarderError =>
  new LarderError(
    "E_SIGNATURE",
    `The key that this host trusts names ${keyId} as the next one; before, it had announced ${announced}.`,
    {
      hint: "Somebody else may have the control plane's key. If it was restored from an older backup, let this host join again with a new token.",
      details: { keyId, announced },
    },
  );

const unknownKey = (from: string, to: string): LarderError =>
  new LarderError(
    "E_SIGNATURE",
    `The control plane signs with key ${to}; this host trusts ${from}, which does not vouch for it.`,
    {
      hint: "Check the server's address. If the control plane was replaced on purpose, enrol this host again with an empty data directory.",
      details: { keyId: to, trusted: from },
    },
  );
