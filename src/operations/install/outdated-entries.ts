import type { AddedDependency, ManifestNode, PackageName } from "../../contract/index.ts";
import type { Ruleset } from "../../gateway/index.ts";
import type { LockPackage } from "../../npm/index.ts";
import { labelOf, releaseFrom } from "./check-graph.ts";
import type { PreviousResolve } from "./resolve.ts";

/**
 * Which entries of the lock that a resolve starts from must not be held in place: what the rules refuse, as far as is known without asking, and what had other
 * undeclared dependencies added than it would have now. Pure.
 */
export function outdatedEntries(
  { manifest, facts, addedDependencies }: PreviousResolve,
  { ruleset, registryOf }: { ruleset: Ruleset; registryOf(name: PackageName): string },
): (entry: LockPackage) => boolean {
  const nodes = new Map((Object.values(manifest.nodes) as ManifestNode[]).map((node) => [labelOf(node), node]));
  const added = new Map<string, AddedDependency[]>();
  for (const entry of addedDependencies) added.set(labelOf(entry), [...(added.get(labelOf(entry)) ?? []), entry]);
  const isRefused = (entry: LockPackage): boolean => {
    const label = labelOf(entry);
    const known = facts.get(label);
    const { hasInstallScript } = nodes.get(label) ?? {};
    const { refusals } = ruleset.judge({ ...releaseFrom(entry, known, registryOf(entry.name)), hasInstallScript });
    // Of what nothing is known, only what needs no knowledge counts.
    return refusals.some(({ rule }) => known !== undefined || (rule !== "unknown-age" && rule !== "release-age"));
  };
  return (entry) => isRefused(entry) || hasOtherAdditions(entry, { added: added.get(labelOf(entry)) ?? [], ruleset });
}

/** A lock names what was added among what was declared; peers that came to nothing are in it, too. */
function hasOtherAdditions(
  entry: LockPackage,
  { added, ruleset }: { added: readonly AddedDependency[]; ruleset: Ruleset },
): boolean {
  const wanted = ruleset.extend(entry.name, entry.version, added.length === 0 ? entry : declaredItself(entry, added));
  const stands = ({ dependency, range, kind }: AddedDependency) =>
    (kind === "dependency" ? entry.dependencies : entry.peerDependencies)[dependency] === range;
  return !wanted.every(stands) || !added.every(({ dependency }) => wanted.some((other) => other.dependency === dependency));
}

function declaredItself(entry: LockPackage, added: readonly AddedDependency[]) {
  const own = new Set(added.map(({ dependency }) => dependency as string));
  return {
    dependencies: without(entry.dependencies, own),
    optionalDependencies: entry.optionalDependencies,
    peerDependencies: without(entry.peerDependencies, own),
  };
}

const without = (record: Record<string, string>, names: ReadonlySet<string>): Record<string, string> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !names.has(name)));
