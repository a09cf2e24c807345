import { type Manifest, type ManifestNode, type NodeId, nodeOf, type Plan } from "../../contract/index.ts";
import { type Gateway, rangeTest, resolveAlias } from "../../gateway/index.ts";
import { sortVersions } from "../../npm/index.ts";
import { pathsFromRoots } from "./check-graph.ts";

type HeldBack = Plan["heldBack"][number];

/** Where a dependency's range would have had a newer version, had policy not hidden it. Only of what this resolve asked about. */
export function heldBack(manifest: Manifest, gateway: Gateway): HeldBack[] {
  const found = new Map<string, HeldBack>();
  const paths = pathsFromRoots(manifest);
  for (const [id, node] of Object.entries(manifest.nodes) as [NodeId, ManifestNode][]) {
    for (const [alias, specifier] of declaredBy(gateway, node)) {
      const to = node.dependencies[alias as keyof typeof node.dependencies] as NodeId | undefined;
      if (to === undefined) continue;
      const { name, version: chosen } = nodeOf(manifest, to);
      const newer = newestHidden(gateway, name, { range: resolveAlias(alias, specifier).range, above: chosen });
      const key = `${name}@${chosen}`;
      if (newer === undefined || found.has(key)) continue;
      const path = [...(paths.get(id) ?? []), `${name}@${newer.version}`];
      found.set(key, { name, chosen, finding: { ...newer, path } });
    }
  }
  return [...found.values()];
}

function declaredBy(gateway: Gateway, { name, version }: ManifestNode): [string, string][] {
  const { dependencies, optionalDependencies, peerDependencies } = gateway.served(name)?.packument.versions[version] ?? {};
  return Object.entries({ ...peerDependencies, ...optionalDependencies, ...dependencies });
}

function newestHidden(
  gateway: Gateway,
  name: ManifestNode["name"],
  { range, above }: { range: string; above: ManifestNode["version"] },
): HeldBack["finding"] | undefined {
  const hidden = gateway.served(name)?.hidden;
  if (hidden === undefined || hidden.size === 0) return undefined;
  const suits = rangeTest(range);
  const sorted = sortVersions([...hidden.keys(), above]);
  const newest = sorted
    .slice(sorted.lastIndexOf(above) + 1)
    .findLast((version) => (!version.includes("-") || range.includes("-")) && suits(version));
  return newest && hidden.get(newest)?.[0];
}
