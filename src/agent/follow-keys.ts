import type { DesiredState } from "../contract/for-hosts.ts";
import {
  acceptDesiredState,
  hasHeardOfKey,
  isByAnotherKey,
  keepAnnouncedKey,
  pinNextKey,
  type StoreWriter,
} from "../host/index.ts";
import type { ControlPlane, DesiredAnswer } from "./control-plane.ts";

interface Follower {
  writer: StoreWriter;
  controlPlane: ControlPlane;
  signal: AbortSignal;
}

export type Offer = Extract<DesiredAnswer, { kind: "ok" }>;

/** Accepts a desired state, after any change of the key that signs. */
export async function acceptOffer({ writer, controlPlane, signal }: Follower, { signed, time }: Offer): Promise<DesiredState> {
  if (await isByAnotherKey(writer, signed)) await pinNextKey(writer, await controlPlane.signingChain(signal), signed);
  return await acceptDesiredState(writer, signed, { time });
}

/** Asks for the announcement of a key that this host has not heard of yet. */
export async function heedAnnouncement({ writer, controlPlane, signal }: Follower, nextKeyId: string): Promise<void> {
  if (await hasHeardOfKey(writer, nextKeyId)) return;
  await keepAnnouncedKey(writer, await controlPlane.signingChain(signal));
}
