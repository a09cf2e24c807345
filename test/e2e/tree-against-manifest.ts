import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Manifest, type NodeId, nodeOf, type Platform, viewForPlatform } from "../../src/contract/index.ts";
import { labelOf, readPackageJson, resolvePackage } from "./resolve-package.ts";

export interface Comparison {
  /** In words; none when the two agree. */
  differences: string[];
  packages: number;
  edges: number;
}

/**
 * Follows every edge of the manifest from the tree's root, through the links on disk as Node resolves them, and says where a package is not the one
 * that the manifest names: by its package.json, by the integrity recorded for it, by links that are missing or too many.
 */
export function compareWithManifest(tree: string, manifest: Manifest, platform: Platform): Comparison {
  const { nodes, unavailable } = viewForPlatform(manifest, platform);
  const differences: string[] = [];
  const places = new Map<NodeId, string>();
  let edges = 0;

  function follow(from: string, label: string, wanted: Record<string, NodeId>): void {
    for (const [alias, id] of Object.entries(wanted)) {
      edges++;
      const found = resolvePackage(from, alias);
      if (!nodes.has(id)) {
        if (found !== undefined) differences.push(`${label} finds ${alias}, which does not suit this platform`);
      } else if (found === undefined) differences.push(`${label} does not find ${alias} (${id})`);
      else visit(id, found, `${label} → ${alias}`);
    }
  }

  function visit(id: NodeId, place: string, label: string): void {
    const node = nodeOf(manifest, id);
    const packageJson = readPackageJson(place);
    if (labelOf(packageJson) !== labelOf(node)) differences.push(`${label} is ${labelOf(packageJson)} and not ${id}`);
    const known = places.get(id);
    if (known !== undefined) {
      if (known !== place) differences.push(`${id} is in two places: ${known}, ${place}`);
      return;
    }
    places.set(id, place);
    const directory = place.slice(0, -`/node_modules/${node.name}`.length);
    const record = JSON.parse(readFileSync(join(directory, "larder.json"), "utf8")) as { integrity: string };
    if (record.integrity !== node.integrity) differences.push(`${id} was built from ${record.integrity}`);
    const allowed = new Set([node.name, ...Object.keys(node.dependencies)]);
    for (const name of packagesIn(join(directory, "node_modules"))) {
      if (!allowed.has(name as typeof node.name)) differences.push(`${id} has ${name} beside it, and no edge to it`);
    }
    follow(place, id, node.dependencies);
  }

  const roots = Object.entries(manifest.roots).filter(([alias]) => !unavailable.has(alias as never));
  follow(dirname(tree), "the root", Object.fromEntries(roots));
  const beyond = packagesIn(tree).filter((name) => !roots.some(([alias]) => alias === name));
  for (const name of beyond) differences.push(`${name} is at the root, and not on the allowlist`);
  for (const id of nodes) if (!places.has(id)) differences.push(`${id} is not in the tree`);
  return { differences, packages: places.size, edges };
}

/** Names in a `node_modules` folder, scopes included. */
export function packagesIn(nodeModules: string): string[] {
  return readdirSync(nodeModules).flatMap((entry) =>
    entry.startsWith("@") ? readdirSync(join(nodeModules, entry)).map((name) => `${entry}/${name}`) : [entry],
  );
}
