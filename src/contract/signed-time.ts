import { z } from "zod";
import { isTextSignedBy, keyIdOf, signText } from "./ed25519.ts";
import type { SigningKey } from "./signing.ts";

const domain = "larder time v1\n";

/** The control plane's clock, said to one question: a host whose own clock is wrong can go by it, and nobody can say it for the control plane. */
export const signedTimeSchema = z.object({
  timeMs: z.number().int().positive(),
  keyId: z.string().max(64),
  signature: z.string().max(128),
});
export type SignedTime = z.infer<typeof signedTimeSchema>;

interface Question {
  storeId: string;
  /** Whoever asks has made it up. */
  nonce: string;
}

export async function signTime({ storeId, nonce }: Question, timeMs: number, key: SigningKey): Promise<SignedTime> {
  return { timeMs, keyId: key.keyId, signature: await signText(textOf(storeId, nonce, timeMs), key.privateKey) };
}

export async function isTimeSignedBy(time: SignedTime, { storeId, nonce }: Question, publicKey: string): Promise<boolean> {
  if (time.keyId !== (await keyIdOf(publicKey))) return false;
  return await isTextSignedBy(textOf(storeId, nonce, time.timeMs), time.signature, publicKey);
}

/** As a header's value. */
export const formatSignedTime = ({ timeMs, keyId, signature }: SignedTime): string => `${timeMs} ${keyId} ${signature}`;

export function parseSignedTime(text: string | null): SignedTime | undefined {
  const [time, keyId, signature] = text?.split(" ") ?? [];
  return signedTimeSchema.safeParse({ timeMs: Number(time), keyId, signature }).data;
}

const textOf = (storeId: string, nonce: string, timeMs: number): string => `${domain}${storeId}\n${nonce}\n${timeMs}`;
