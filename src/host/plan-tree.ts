import {
  type ExactVersion,
  type Integrity,
  type LockfileHash,
  type Manifest,
  type ManifestNode,
  type NodeId,
  nodeOf,
  type PackageName,
  type Platform,
  parsePackageName,
  viewForPlatform,
} from "../contract/for-hosts.ts";
import type { PackageKey } from "./layout.ts";
import { type KeyedNode, packageKeys } from "./package-keys.ts";
import { createPlanMemory, type PlanMemory, type PlannedNode, presentNode } from "./plan-memory.ts";

/** A link named `alias` to the content of another package. */
export interface PackageLink {
  alias: PackageName;
  key: PackageKey;
  name: PackageName;
}

export interface PlannedPackage {
  key: PackageKey;
  nodeId: NodeId;
  name: PackageName;
  version: ExactVersion;
  integrity: Integrity;
  links: PackageLink[];
  /** As the registry declared it; nothing but the order of work depends on it. */
  unpackedBytes?: number;
}

/** What a tree of one platform is made of. */
export interface TreePlan {
  lockfileHash: LockfileHash;
  /** One per key. */
  packages: PlannedPackage[];
  /** The links at the tree's root: what can be imported. */
  roots: PackageLink[];
  /** Allowlisted packages that this platform cannot have; the tree is built without them. */
  unavailable: { name: PackageName; version: ExactVersion; reason: string }[];
}

export interface PlanOptions {
  lockfileHash: LockfileHash;
  platform: Platform;
  /** From plans for the same platform: nodes whose objects it knows cost next to nothing. */
  memory?: PlanMemory;
}

export function planTree(manifest: Manifest, { lockfileHash, platform, memory = createPlanMemory() }: PlanOptions): TreePlan {
  const view = viewForPlatform(manifest, platform);
  const isPresent = (id: NodeId) => view.nodes.has(id);
  const remembered = new Map<NodeId, PlannedNode>();
  const nodes = new Map<NodeId, KeyedNode>();
  for (const id of view.nodes) {
    const node = nodeOf(manifest, id);
    const known = memory.of(node);
    remembered.set(id, known);
    nodes.set(id, presentNode(node, known, isPresent));
  }
  const keys = packageKeys(nodes, {
    read: (id) => remembered.get(id)?.keyed,
    write(id, keyed) {
      const known = remembered.get(id);
      if (known) known.keyed = keyed;
    },
  });
  const linkTo = ([alias, id]: readonly [PackageName, NodeId]): PackageLink => ({
    alias: parsePackageName(alias),
    key: keys.get(id) as PackageKey,
    name: nodeOf(manifest, id).name,
  });

  const packages = new Map<PackageKey, PlannedPackage>();
  for (const [nodeId, known] of remembered) {
    const key = keys.get(nodeId) as PackageKey;
    // Its key stands for its links too.
    if (known.planned?.key !== key) {
      const { aliases, targets } = nodes.get(nodeId) as KeyedNode;
      const links = aliases.map((alias, index) => linkTo([alias, targets[index] as NodeId]));
      known.planned = plannedPackage(nodeOf(manifest, nodeId), { nodeId, key, links });
    }
    packages.set(key, known.planned);
  }
  const roots = Object.entries(manifest.roots) as [PackageName, NodeId][];
  return {
    lockfileHash,
    packages: [...packages.values()],
    roots: roots
      .filter(([alias, id]) => view.nodes.has(id) && !view.unavailable.has(alias))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(linkTo),
    unavailable: [...view.unavailable].map(([alias, reason]) => {
      const { name, version } = nodeOf(manifest, manifest.roots[alias] as NodeId);
      return { name, version, reason };
    }),
  };
}

function plannedPackage(
  { name, version, integrity, unpackedBytes }: ManifestNode,
  { nodeId, key, links }: { nodeId: NodeId; key: PackageKey; links: PackageLink[] },
): PlannedPackage {
  return {
    key,
    nodeId,
    name: parsePackageName(name),
    version,
    integrity,
    // A package that depends on itself finds itself without a link.
    links: links.filter((link) => !(link.alias === name && link.key === key)),
    ...(unpackedBytes === undefined ? {} : { unpackedBytes }),
  };
}
