import {
  type ExactVersion,
  type Integrity,
  type LockfileHash,
  type Manifest,
  type NodeId,
  nodeOf,
  type PackageName,
  type Platform,
  parsePackageName,
  viewForPlatform,
} from "../contract/index.ts";
import type { PackageKey } from "./layout.ts";
import { type KeyedNode, packageKeys } from "./package-keys.ts";

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

export function planTree(manifest: Manifest, lockfileHash: LockfileHash, platform: Platform): TreePlan {
  const view = viewForPlatform(manifest, platform);
  const present = (edges: object) =>
    (Object.entries(edges) as [PackageName, NodeId][])
      .filter(([, id]) => view.nodes.has(id))
      .sort(([a], [b]) => (a < b ? -1 : 1));
  const nodes = new Map<NodeId, KeyedNode>();
  for (const id of view.nodes) {
    const { name, integrity, dependencies } = nodeOf(manifest, id);
    nodes.set(id, { name: parsePackageName(name), integrity, dependencies: new Map(present(dependencies)) });
  }
  const keys = packageKeys(nodes);
  const linkTo = (alias: PackageName, id: NodeId): PackageLink => ({
    alias: parsePackageName(alias),
    key: keys.get(id) as PackageKey,
    name: nodeOf(manifest, id).name,
  });

  const packages = new Map<PackageKey, PlannedPackage>();
  for (const [nodeId, { name, integrity, dependencies }] of nodes) {
    const key = keys.get(nodeId) as PackageKey;
    const links = [...dependencies].map(([alias, id]) => linkTo(alias, id));
    const { version, unpackedBytes } = nodeOf(manifest, nodeId);
    // A package that depends on itself finds itself without a link.
    const foreign = links.filter((link) => !(link.alias === name && link.key === key));
    packages.set(key, {
      key,
      nodeId,
      name,
      version,
      integrity,
      links: foreign,
      ...(unpackedBytes === undefined ? {} : { unpackedBytes }),
    });
  }
  return {
    lockfileHash,
    packages: [...packages.values()],
    roots: present(manifest.roots)
      .filter(([alias]) => !view.unavailable.has(alias))
      .map(([alias, id]) => linkTo(alias, id)),
    unavailable: [...view.unavailable].map(([alias, reason]) => {
      const { name, version } = nodeOf(manifest, manifest.roots[alias] as NodeId);
      return { name, version, reason };
    }),
  };
}
