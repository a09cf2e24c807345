import { isDeepStrictEqual } from "node:util";
import {
  type HostProof,
  type Id,
  isProofBy,
  LarderError,
  type ProvenRequest,
  parseHostProof,
  proofAheadMs,
  proofLifeMs,
} from "../../contract/index.ts";
import { type Db, getHostKeys, type HostKey, listChangedHosts } from "../../db/index.ts";
import { type Clock, createBatcher } from "../../lib/index.ts";
import type { Notice } from "../events/notice.ts";
import type { Signer } from "../signing/signer.ts";
import type { Principal } from "./principal.ts";

/** Knows hosts by their keys. One question to the database each second answers for all of them whether somebody was revoked. */
export interface HostAuthenticator {
  /** From an `Authorization` header that is a proof. `bodyDigest`: what the body must be. Throws `E_UNAUTHENTICATED`, and `E_CLOCK_SKEW` with the right time. */
  authenticate(header: string, asked: ProvenRequest): Promise<{ principal: Principal; bodyDigest: string | undefined }>;
  /** False: the host was revoked, or has joined anew with another key. */
  isCurrent(host: Pick<HostKey, "id" | "publicKey">): Promise<boolean>;
  /** A revoked host is refused from the next call on. */
  notice(notice: Notice): void;
}

/** How long another replica's revocation may go unseen when its notice is lost. */
const recheckMs = 1000;
/** A change is looked for again and again for so long: transactions and clocks are not instantaneous. */
const changedWithinMs = 60_000;
const rememberedProofs = 50_000;

export function createHostAuthenticator({ db, signer, clock }: { db: Db; signer: Signer; clock: Clock }): HostAuthenticator {
  const known = new Map<Id, HostKey>();
  /** Verified proofs for reading, by header. */
  const readings = new Map<string, { hostId: Id; atMs: number; publicKey: string }>();
  const spent = createSpentProofs();
  let notices = 0;
  let checkedAt = Number.NEGATIVE_INFINITY;
  let checking: Promise<void> | undefined;

  const forgetChanged = async () => {
    const [startedAt, gapMs] = [performance.now(), performance.now() - checkedAt];
    const changed = await listChangedHosts(db.query, changedWithinMs);
    if (gapMs > changedWithinMs / 2) known.clear();
    // Only those: when thousands have joined of late, the rest is right.
    for (const { id, key } of changed) if (!isDeepStrictEqual(known.get(id), key)) known.delete(id);
    checkedAt = startedAt;
  };
  const keepFresh = async () => {
    if (performance.now() - checkedAt < recheckMs) return;
    checking ??= forgetChanged().finally(() => {
      checking = undefined;
    });
    await checking;
  };

  /** When a fleet comes to a replica that knows none of it. */
  const readKey = createBatcher<Id, HostKey | undefined>({
    max: 500,
    concernsAll: () => true,
    run: (ids) => getHostKeys(db.query, ids),
  });
  const keyOf = async (id: Id): Promise<HostKey | undefined> => {
    await keepFresh();
    const remembered = known.get(id);
    if (remembered) return remembered;
    const noticesBefore = notices;
    const key = await readKey(id);
    // What was read may be older than a revocation that came meanwhile.
    if (key && notices === noticesBefore) known.set(id, key);
    return key;
  };

  const assertInTime = async ({ atMs, signature }: HostProof) => {
    const aheadMs = atMs - clock.now();
    if (aheadMs <= proofAheadMs && aheadMs > -proofLifeMs) return;
    throw new LarderError("E_CLOCK_SKEW", "This host's clock is not the control plane's.", {
      hint: "Agents go by the time that comes with this answer; nothing needs to be done.",
      details: { time: await signer.signTime(signature) },
    });
  };

  const assertProven = async (
    header: string,
    { proof, asked, key }: { proof: HostProof; asked: ProvenRequest; key: HostKey },
  ) => {
    const { publicKey } = key;
    const before = readings.get(header);
    if (before?.publicKey !== publicKey && !(await isProofBy(proof, asked, publicKey))) {
      throw unauthenticated("The signature is not this host's, or is over another request.");
    }
    await assertInTime(proof);
    if (proof.request) {
      if (!spent.spend(proof.signature, clock.now())) throw unauthenticated("This request was made before.");
    } else if (before === undefined) remember(readings, header, { hostId: key.id, atMs: proof.atMs, publicKey });
  };

  return {
    async authenticate(header, asked) {
      const proof = parseHostProof(header);
      if (proof === undefined) throw unauthenticated("What was sent is not a host's proof.");
      const isReading = asked.method === "GET" || asked.method === "HEAD";
      if (!isReading && proof.request === undefined) throw unauthenticated("This proof is for reading only.");
      const key = await keyOf(proof.hostId);
      if (key === undefined) throw unauthenticated(`Host ${proof.hostId} is not known here, or was revoked.`);
      await assertProven(header, { proof, asked, key });
      const { id, environment, publicKey } = key;
      const principal = {
        tokenId: `host-${id}`,
        role: "host",
        subject: `host ${id}`,
        host: { id, environment, publicKey, nonce: proof.request?.nonce },
      } as const;
      return { principal, bodyDigest: proof.request?.bodyDigest };
    },
    async isCurrent({ id, publicKey }) {
      return (await keyOf(id))?.publicKey === publicKey;
    },
    notice(notice) {
      if (notice.type !== "revoked" || notice.hostId === undefined) return;
      notices++;
      known.delete(notice.hostId);
    },
  };
}

/** Proofs for one request are good once, on each replica; where that matters on all of them, what is written says it too: see `assertFirst`. */
function createSpentProofs(): { spend(signature: string, nowMs: number): boolean } {
  const spentAt = new Map<string, number>();
  return {
    spend(signature, nowMs) {
      for (const [oldest, at] of spentAt) {
        if (Math.abs(nowMs - at) < proofLifeMs + proofAheadMs) break;
        spentAt.delete(oldest);
      }
      if (spentAt.has(signature)) return false;
      spentAt.set(signature, nowMs);
      return true;
    },
  };
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.set(key, value);
  if (map.size <= rememberedProofs) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
}

const unauthenticated = (message: string): LarderError =>
  new LarderError("E_UNAUTHENTICATED", message, {
    hint: "Enrol the host: `larder hosts enrol`, and start its agent with the token.",
  });
