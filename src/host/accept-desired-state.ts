import {
  assertDesiredStateSignature,
  type DesiredState,
  isTimeSignedBy,
  LarderError,
  type SignedDesiredState,
  type SignedTime,
  signedDesiredStateSchema,
} from "../contract/for-hosts.ts";
import { currentHash } from "./current-tree.ts";
import { type AcceptedState, readAccepted, readIdentity, type StoredIdentity, writeAccepted } from "./state.ts";
import type { StoreWriter } from "./store-writer.ts";

/**
 * Checks a desired state against who this host is and what it accepted before, and persists it as the highest seen before returning. Throws
 * `E_SIGNATURE`, `E_WRONG_STORE`, `E_ROLLBACK`, `E_EQUIVOCATION`, `E_EXPIRED`, or `E_NOT_READY` for a host that is not enrolled; then nothing changed.
 * `time`: what the control plane says the time is, for a host whose own clock may be wrong; `nowMs` replaces that clock.
 */
export async function acceptDesiredState(
  writer: StoreWriter,
  signed: SignedDesiredState,
  { time, nowMs = writer.store.clock.now() }: { time?: ToldTime | undefined; nowMs?: number } = {},
): Promise<DesiredState> {
  const identity = await readIdentity(writer.store);
  if (!identity) {
    throw new LarderError("E_NOT_READY", "This host is not enrolled.", {
      hint: "Start its agent with an enrolment token: larder agent.",
    });
  }
  const { desired } = await verified(signed, identity);
  assertOwn(desired, identity);
  const accepted = await readAccepted(writer.store);
  if (accepted) assertForward(desired, accepted);
  const now = await trustedNow(time, { identity, nowMs });
  if (now >= Date.parse(desired.expiresAt)) {
    throw new LarderError("E_EXPIRED", `The desired state of generation ${desired.generation} expired at ${desired.expiresAt}.`, {
      hint: "Check the clocks of this host and of the control plane.",
      retryable: true,
      details: { expiresAt: desired.expiresAt, now: new Date(now).toISOString() },
    });
  }
  const { generation, lockfileHash, manifestDigest, issuedAt } = desired;
  if (!accepted?.signed || generation > accepted.generation || issuedAt > accepted.issuedAt) {
    const current = await currentHash(writer.store);
    const served = [accepted?.signed, accepted?.served].find((known) => known?.desired.lockfileHash === current);
    await writeAccepted(writer, { generation, lockfileHash, manifestDigest, issuedAt, signed, ...(served ? { served } : {}) });
  }
  return desired;
}

/** An answer to a nonce of ours. */
export interface ToldTime {
  nonce: string;
  signed: SignedTime;
}

/** By the control plane's clock if it has signed the time for us just now, else by ours. */
async function trustedNow(
  time: ToldTime | undefined,
  { identity, nowMs }: { identity: StoredIdentity; nowMs: number },
): Promise<number> {
  if (time === undefined) return nowMs;
  const { storeId, publicKey } = identity;
  return (await isTimeSignedBy(time.signed, { storeId, nonce: time.nonce }, publicKey)) ? time.signed.timeMs : nowMs;
}

async function verified(signed: SignedDesiredState, identity: StoredIdentity): Promise<SignedDesiredState> {
  const parsed = signedDesiredStateSchema.safeParse(signed);
  if (!parsed.success) {
    throw new LarderError("E_SIGNATURE", "What the control plane sent is not a signed desired state.", {
      hint: "Check that the server's address is a Larder control plane of a version that this host knows.",
    });
  }
  await assertDesiredStateSignature(parsed.data, identity.publicKey);
  return parsed.data;
}

function assertOwn(desired: DesiredState, identity: StoredIdentity): void {
  if (desired.storeId === identity.storeId && desired.environment === identity.environment) return;
  throw new LarderError(
    "E_WRONG_STORE",
    `The desired state is for ${desired.environment} of store ${desired.storeId}; this host belongs to ${identity.environment} of ${identity.storeId}.`,
    { hint: "Enrol this host again to move it.", details: { storeId: desired.storeId, environment: desired.environment } },
  );
}

function assertForward(desired: DesiredState, accepted: AcceptedState): void {
  if (desired.generation < accepted.generation) {
    throw new LarderError(
      "E_ROLLBACK",
      `The control plane offers generation ${desired.generation}; this host has accepted ${accepted.generation} already.`,
      {
        hint: "A rollback is a new generation; if the control plane was restored from a backup, run there: larder advance.",
        details: { offered: desired.generation, accepted: accepted.generation },
      },
    );
  }
  const same = desired.lockfileHash === accepted.lockfileHash && desired.manifestDigest === accepted.manifestDigest;
  if (desired.generation === accepted.generation && !same) {
    throw new LarderError(
      "E_EQUIVOCATION",
      `The control plane signed two different contents as generation ${desired.generation}.`,
      {
        hint: "Look for two control planes with one key, or a restored backup (then: larder advance); this host stays as it is.",
        details: { generation: desired.generation, offered: desired.lockfileHash, accepted: accepted.lockfileHash },
      },
    );
  }
}
