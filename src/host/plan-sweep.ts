import type { LockfileHash } from "../contract/index.ts";
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

/** The trees that may go if nobody holds a lease on them: all but the current one, the last good one before it, and those kept on request. */
export function planSweep({ trees, flips, current, keep, nowMs, graceMs }: SweepInput): LockfileHash[] {
  const previous = flips.findLast((flip) => flip.lockfileHash !== current && trees.includes(flip.lockfileHash))?.lockfileHash;
  return trees.filter((tree) => {
    if (tree === current || tree === previous || keep.has(tree)) return false;
    const leftAt = outOfServiceAt(flips, tree);
    return leftAt === undefined || nowMs - leftAt >= graceMs;
  });
}

/** When another tree followed this one; `undefined`: it never served. */
function outOfServiceAt(flips: readonly Flip[], tree: LockfileHash): number | undefined {
  const last = flips.findLastIndex((flip) => flip.lockfileHash === tree);
  if (last < 0) return undefined;
  const next = flips[last + 1] ?? flips[last];
  return next && Date.parse(next.at);
}
