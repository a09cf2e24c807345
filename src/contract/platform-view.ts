import type { Manifest, ManifestNode, NodeId } from "./manifest.ts";
import type { PackageName } from "./package-name.ts";
import { formatPlatform, matchesPlatform, type Platform } from "./platform.ts";

/** A manifest as a host of one platform sees it. */
export interface PlatformView {
  /** What such a host holds: every node that suits it and is reached from the roots. */
  nodes: Set<NodeId>;
  /** Roots that such a host cannot offer, each with its reason, in words for a user. */
  unavailable: Map<PackageName, string>;
}

/**
 * npm's rules: a node that does not suit the platform is absent; an optional edge to an absent node is dropped, a required one makes its
 * dependent absent too, up to the roots. Edges that remain are those whose two ends are in `nodes`.
 */
export function viewForPlatform(manifest: Manifest, platform: Platform): PlatformView {
  const absent = absentNodes(manifest, platform);
  const roots = Object.entries(manifest.roots) as [PackageName, NodeId][];
  const unavailable = new Map<PackageName, string>();
  const queue: NodeId[] = [];
  for (const [alias, id] of roots) {
    const reason = absent.get(id);
    if (reason === undefined) queue.push(id);
    else unavailable.set(alias, reason);
  }
  const nodes = new Set(queue);
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const dependency of Object.values(nodeOf(manifest, id).dependencies)) {
      if (absent.has(dependency) || nodes.has(dependency)) continue;
      nodes.add(dependency);
      queue.push(dependency);
    }
  }
  return { nodes, unavailable };
}

function absentNodes(manifest: Manifest, platform: Platform): Map<NodeId, string> {
  const absent = new Map<NodeId, string>();
  for (const id in manifest.nodes) {
    if (!matchesPlatform(nodeOf(manifest, id), platform)) absent.set(id, `${id} has no build for ${formatPlatform(platform)}`);
  }
  const queue = [...absent.keys()];
  const requiredBy = queue.length === 0 ? new Map<NodeId, NodeId[]>() : dependentsOf(manifest);
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const dependent of requiredBy.get(id) ?? []) {
      if (absent.has(dependent)) continue;
      absent.set(dependent, `${dependent} needs ${absent.get(id)}`);
      queue.push(dependent);
    }
  }
  return absent;
}

/** Node → those that cannot be without it. */
function dependentsOf({ nodes }: Manifest): Map<NodeId, NodeId[]> {
  const requiredBy = new Map<NodeId, NodeId[]>();
  for (const id in nodes) {
    for (const dependency of requiredDependencies(nodes[id] as ManifestNode)) {
      const dependents = requiredBy.get(dependency);
      if (dependents) dependents.push(id);
      else requiredBy.set(dependency, [id]);
    }
  }
  return requiredBy;
}

function requiredDependencies(node: ManifestNode): NodeId[] {
  const optional = new Set(node.optional);
  return Object.entries(node.dependencies)
    .filter(([alias]) => !optional.has(alias as PackageName))
    .map(([, id]) => id);
}

/** A node that the manifest names. `assertManifest` has checked that every edge's end is there. */
export function nodeOf(manifest: Manifest, id: NodeId): ManifestNode {
  const node = manifest.nodes[id];
  if (node === undefined) throw new Error(`the manifest names ${id} but does not hold it`);
  return node;
}
