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
  const requiredBy = new Map<NodeId, NodeId[]>();
  const queue: NodeId[] = [];
  for (const [id, node] of Object.entries(manifest.nodes)) {
    if (!matchesPlatform(node, platform)) {
      absent.set(id, `${id} has no build for ${formatPlatform(platform)}`);
      queue.push(id);
    }
    for (const dependency of requiredDependencies(node)) {
      const dependents = requiredBy.get(dependency);
      if (dependents) dependents.push(id);
      else requiredBy.set(dependency, [id]);
    }
  }
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const dependent of requiredBy.get(id) ?? []) {
      if (absent.has(dependent)) continue;
      absent.set(dependent, `${dependent} needs ${absent.get(id)}`);
      queue.push(dependent);
    }
  }
  return absent;
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
