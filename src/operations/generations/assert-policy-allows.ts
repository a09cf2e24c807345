import type { EnvironmentName, Manifest, PackageName } from "../../contract/index.ts";
import { getReleases, type Queryable, readEffectivePolicy } from "../../db/index.ts";
import { createJudge, refusedByPolicy } from "../../gateway/index.ts";
import { labelOf, pathsFromRoots, releaseFrom } from "../install/check-graph.ts";

export interface ManifestToJudge {
  environment: EnvironmentName;
  manifest: Manifest;
  /** A moment at which all that is in the manifest had been published: what no registry has told the age of is at least so old. */
  knownSince: string;
  registryOf(name: PackageName): string;
}

/**
 * Throws `E_POLICY` when an environment's policy, as it is now, refuses a version in a manifest that comes from elsewhere. By what registries said when they were last
 * asked: nobody is asked again.
 */
export async function assertPolicyAllows(
  tx: Queryable,
  { environment, manifest, knownSince, registryOf }: ManifestToJudge,
): Promise<void> {
  const judge = createJudge({ environment, ...(await readEffectivePolicy(tx, environment)) });
  const nodes = Object.values(manifest.nodes);
  const facts = await getReleases(tx, [...new Set(nodes.map(({ name }) => name))]);
  const known = new Map(facts.map((release) => [labelOf(release), release]));
  const latest = Date.parse(knownSince);
  const paths = pathsFromRoots(manifest);
  const refusals = Object.entries(manifest.nodes).flatMap(([id, node]) => {
    const release = releaseFrom(node, known.get(labelOf(node)), registryOf(node.name));
    const { hasInstallScript } = node;
    const verdict = judge({ ...release, hasInstallScript, publishedAt: release.publishedAt ?? latest });
    return verdict.refusals.map((finding) => ({ ...finding, path: paths.get(id) ?? [labelOf(node)] }));
  });
  if (refusals.length > 0) throw refusedByPolicy(refusals);
}
