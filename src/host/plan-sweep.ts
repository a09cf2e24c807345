import type { LockfileHash } from "../contract/for-hosts.ts";
import type { Flip } from "./state.ts";

export interface SweepInput {
  /** Those on disk. */
  trees: readonly LockfileHash[];
  flips: readonly Flip[];
  current: LockfileHash | undefined;
  keep: ReadonlySet<LockfileHash>;
  nowMs: number;
  graceMs: number;
}

export interface SweepPlan {
  /** May go, if nobody holds a lease on them. */
  expired: LockfileHash[];
  /** Nothing needs them, but their grace has not passed: may go when the disk quota says so, in this order. */
  inGrace: LockfileHash[];
}

/** All may go but the current tree, the last good one before it, and those kept on request. */
export function planSweep({ trees, flips, current, keep, nowMs, graceMs }: SweepInput): SweepPlan {
  const previous = flips.findLast((flip) => flip.lockfileHash !== current && trees.includes(flip.lockfileHash))?.lockfileHash;
  const unneeded = trees
    .filter((tree) => tree !== current && tree !== previous && !keep.has(tree))
    .map((tree) => ({ tree, at: outOfServiceAt(flips, tree) }));
  const isInGrace = (at: number | undefined): boolean => {
    if (at === undefined) return false;
    const ageMs = nowMs - at;
    // Before it happened: the clock was set back, and may stay so for years.
    return ageMs >= 0 && ageMs < graceMs;
  };
  return {
    expired: unneeded.filter(({ at }) => !isInGrace(at)).map(({ tree }) => tree),
    inGrace: unneeded
      .filter(({ at }) => isInGrace(at))
      .sort((a, b) => (a.at ?? 0) - (b.at ?? 0))
      .map(({ tree }) => tree),
  };
}

/** When another tree followed this one; `undefined`: it never served. */
function outOfServiceAt(flips: readonly Flip[], tree: LockfileHash): number | undefined {
  const last = flips.findLastIndex((flip) => flip.lockfileHash === tree);
  if (last < 0) return undefined;
  const next = flips[last + 1] ?? flips[last];
  return next && Date.parse(next.at);
}
