import { type ErrorBody, type Host, type HostState, silentAfterMs } from "../contract/index.ts";

/** An alarm stays so long after what last confirmed it. */
export const cloneAlarmMs = 900_000;

/** What a host's row, its environment and the database's clock say together. */
export interface HostFacts {
  generation: number;
  accepted: number;
  wanted: number;
  phase: Host["phase"];
  error?: ErrorBody | undefined;
  /** Of the first generation that it does not serve. */
  nextGenerationAt?: string | undefined;
  lastSeenAt?: string | undefined;
  createdAt: string;
  phaseSince?: string | undefined;
  clonedSince?: string | undefined;
  /** Since it was last heard of, or joined. */
  silentMs: number;
  /** Since the alarm was last confirmed. */
  clonedMs?: number | undefined;
}

export interface HostVerdict {
  state: HostState;
  lag: number;
  reason?: string;
  since?: string;
}

/** What is to be made of it: the worst that holds, why, and since when. Pure. */
export function judgeHost(facts: HostFacts): HostVerdict {
  const { generation, accepted, wanted, error, silentMs } = facts;
  const lag = Math.max(0, wanted - generation);
  const verdict = (state: HostState, reason: string, since: string | undefined): HostVerdict => ({
    state,
    lag,
    reason,
    ...(since === undefined ? {} : { since }),
  });
  if (facts.clonedMs !== undefined && facts.clonedMs < cloneAlarmMs) {
    return verdict("cloned", "Two machines take turns with its key: revoke it, and enrol both anew.", facts.clonedSince);
  }
  if (accepted > wanted || error?.code === "E_ROLLBACK" || error?.code === "E_EQUIVOCATION") {
    const reason = `It has accepted generation ${accepted}, which this control plane does not have: was a backup restored? larder advance`;
    return verdict("ahead", reason, facts.phaseSince);
  }
  if (silentMs >= silentAfterMs) {
    const heard = facts.lastSeenAt === undefined ? "It has never reported since it joined." : "It does not report any more.";
    return verdict("silent", heard, facts.lastSeenAt ?? facts.createdAt);
  }
  if (error !== undefined && facts.phase === "error")
    return verdict("failing", `${error.code}: ${error.message}`, facts.phaseSince);
  if (lag > 0) return verdict("behind", behind(facts), facts.nextGenerationAt);
  return { state: "current", lag };
}

const behind = ({ phase, lastSeenAt }: HostFacts): string =>
  lastSeenAt === undefined
    ? "It has not reported yet."
    : phase === "syncing"
      ? "It is fetching and building the new generation."
      : "It has not begun with the new generation.";
