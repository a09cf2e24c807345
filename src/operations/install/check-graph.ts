import type { AddedDependency, ExactVersion, Manifest, ManifestNode, NodeId, PackageName } from "../../contract/index.ts";
import { nodeOf } from "../../contract/index.ts";
import type { ReleaseFacts } from "../../db/index.ts";
import { type Gateway, type Release, type Ruleset, releaseOf, type Verdict } from "../../gateway/index.ts";
import { parseTime } from "../../npm/index.ts";

/** What policy says of a finished graph. */
export interface GraphVerdict extends Verdict {
  /** What registries said of it just now. */
  releases: ReleaseFacts[];
  /** Undeclared dependencies that are in it. */
  added: AddedDependency[];
}

export interface GraphToCheck {
  manifest: Manifest;
  gateway: Gateway;
  ruleset: Ruleset;
  /** What was known of versions before: those that the lock held in place were not asked about. */
  facts: ReadonlyMap<string, ReleaseFacts>;
  /** Added in the graph that this one started from. */
  addedBefore: readonly AddedDependency[];
}

/** `name@version`. */
export const labelOf = ({ name, version }: { name: string; version: string }): string => `${name}@${version}`;

/**
 * Judges each version in the graph: by what its registry just said, or, for one that the lock held in place, by what it said when last asked. A registry is asked
 * again only about what nothing is known of, or whose deprecation decides. Findings say the way from the allowlist.
 */
export async function checkGraph(input: GraphToCheck): Promise<GraphVerdict> {
  const { manifest, gateway, ruleset } = input;
  const verdict: GraphVerdict = { refusals: [], flags: [], waived: [], releases: [], added: [] };
  const paths = pathsFromRoots(manifest);
  await Promise.all([...namesToAsk(input)].map((name) => gateway.lookup(name)));
  const trouble = gateway.firstFailure();
  if (trouble) throw trouble;
  const seen = new Set<string>();
  for (const [id, node] of entriesOf(manifest)) {
    const label = labelOf(node);
    if (seen.has(label)) continue;
    seen.add(label);
    const { release, isFresh } = releaseIn(node, input);
    const { refusals, flags, waived } = ruleset.judge(release);
    const path = paths.get(id) ?? [label];
    for (const [to, findings] of [
      [verdict.refusals, refusals],
      [verdict.flags, flags],
      [verdict.waived, waived],
    ] as const) {
      to.push(...findings.map((finding) => ({ ...finding, path })));
    }
    if (isFresh) verdict.releases.push(factsOf(release));
    verdict.added.push(...addedTo(node, input));
  }
  return verdict;
}

/** Those with a version that is not known well enough. */
function namesToAsk({ manifest, gateway, ruleset, facts }: GraphToCheck): Set<PackageName> {
  const { minReleaseAgeMs, deprecated } = ruleset.rules.policy;
  const asks = minReleaseAgeMs > 0 || deprecated !== "allow";
  const names = new Set<PackageName>();
  for (const [, node] of entriesOf(manifest)) {
    if (!asks || gateway.served(node.name)) continue;
    if (deprecated === "refuse" || !facts.has(labelOf(node))) names.add(node.name);
  }
  return names;
}

function releaseIn(
  node: ManifestNode,
  { gateway, facts }: Pick<GraphToCheck, "gateway" | "facts">,
): { release: Release; isFresh: boolean } {
  const { name, version, hasInstallScript } = node;
  const served = gateway.served(name);
  const declared = served?.packument.versions[version];
  if (served && declared) return { release: releaseOf(served.packument, declared, served.registry), isFresh: true };
  const known = releaseFrom(node, facts.get(labelOf(node)), gateway.registryOf(name));
  return { release: { ...known, hasInstallScript }, isFresh: false };
}

export function releaseFrom(
  { name, version }: { name: PackageName; version: ExactVersion },
  facts: ReleaseFacts | undefined,
  registry: string,
): Release {
  return { name, version, registry, publishedAt: parseTime(facts?.publishedAt), deprecated: facts?.deprecated };
}

const factsOf = ({ name, version, publishedAt, deprecated }: Release): ReleaseFacts => ({
  name,
  version,
  ...(publishedAt === undefined ? {} : { publishedAt: new Date(publishedAt).toISOString() }),
  ...(deprecated === undefined ? {} : { deprecated }),
});

/** Those of which something came: a peer that the graph does not have is not in it. */
function addedTo(node: ManifestNode, { gateway, ruleset, addedBefore }: GraphToCheck): AddedDependency[] {
  const { name, version } = node;
  const declared = gateway.served(name)?.packument.versions[version];
  const added = declared
    ? ruleset.extend(name, version, declared)
    : addedBefore.filter((entry) => entry.name === name && entry.version === version);
  return added.filter(({ dependency }) => Object.hasOwn(node.dependencies, dependency));
}

/** The shortest way to each node, as `name@version`. */
export function pathsFromRoots(manifest: Manifest): Map<NodeId, string[]> {
  const paths = new Map<NodeId, string[]>();
  const queue: NodeId[] = [];
  const visit = (id: NodeId, before: string[]) => {
    if (paths.has(id)) return;
    paths.set(id, [...before, labelOf(nodeOf(manifest, id))]);
    queue.push(id);
  };
  for (const id of Object.values(manifest.roots) as NodeId[]) visit(id, []);
  for (const id of queue)
    for (const to of Object.values(nodeOf(manifest, id).dependencies)) visit(to as NodeId, paths.get(id) ?? []);
  return paths;
}

const entriesOf = (manifest: Manifest): [NodeId, ManifestNode][] => Object.entries(manifest.nodes) as [NodeId, ManifestNode][];
