import { LarderError } from "../contract/index.ts";
import type { BunLock, LockPackage } from "./bun-lock.ts";
import { isWithin, lookupPaths } from "./lock-path.ts";

export interface LockEdge {
  alias: string;
  to: LockPackage;
  optional: boolean;
}

export interface LockPeer {
  alias: string;
  range: string;
  optional: boolean;
  /** Where the lock nests the peer within its dependent, because what the tree offers from above does not suit. */
  nested: LockPackage | undefined;
}

/** A lock entry with what it brings itself (`edges`) and what it takes from whoever depends on it (`peers`), both by alias. */
export interface LockNode {
  entry: LockPackage;
  edges: Map<string, LockEdge>;
  peers: Map<string, LockPeer>;
}

export interface LockGraph {
  /** The entry at the top of the lock's tree. */
  top(alias: string): LockPackage | undefined;
  node(entry: LockPackage): LockNode;
}

/** The lock as a graph of entries; nodes are made when they are asked for. */
export function createLockGraph(lock: BunLock): LockGraph {
  const byPath = new Map(lock.packages.map((entry) => [entry.path, entry]));
  const nodes = new Map<LockPackage, LockNode>();
  const lookup: Lookup = (from, alias) => {
    for (const path of lookupPaths(from.path, alias)) {
      const found = byPath.get(path);
      if (found) return found;
    }
    return undefined;
  };
  return {
    top: (alias) => byPath.get(alias),
    node(entry) {
      let node = nodes.get(entry);
      if (node === undefined) {
        node = readNode(entry, lookup);
        nodes.set(entry, node);
      }
      return node;
    },
  };
}

type Lookup = (from: LockPackage, alias: string) => LockPackage | undefined;

/**
 * What a bundled package needs and its bundler's tarball does not hold becomes the bundler's: as an edge, found beside the bundler's folder, where `import` looks
 * after the folders inside it. A name that the bundler declares itself is its own matter.
 */
function readNode(entry: LockPackage, lookup: Lookup): LockNode {
  const node: LockNode = { entry, edges: new Map(), peers: new Map() };
  const settled = new Set<string>();
  const inside = new Set<LockPackage>([entry]);
  for (const dependent of inside) {
    const declared = declaredBy(dependent);
    for (const { alias, range, kind } of declared) {
      const found = lookup(dependent, alias);
      if (found?.bundled && isWithin(found.path, entry.path)) {
        inside.add(found);
        if (found.path === `${entry.path}/${alias}`) settled.add(alias);
        continue;
      }
      if (settled.has(alias)) continue;
      settled.add(alias);
      if (kind === "dependency" || kind === "optional") {
        if (found) node.edges.set(alias, { alias, to: found, optional: kind === "optional" });
        else if (kind === "dependency" && dependent === entry) throw unresolved(entry, alias, range);
      } else {
        const nested = found?.path === `${dependent.path}/${alias}` ? found : undefined;
        node.peers.set(alias, { alias, range, optional: kind === "optionalPeer", nested });
      }
    }
  }
  return node;
}

const unresolved = (entry: LockPackage, alias: string, range: string): LarderError =>
  new LarderError("E_LOCKFILE", `bun.lock says nothing of ${alias}@${range}, which ${entry.path} depends on.`, {
    hint: "This is a fault of Larder or of its resolver. Please report it with the package list.",
  });

type DependencyKind = "dependency" | "optional" | "peer" | "optionalPeer";

/** Each alias once: an optional dependency is listed under `dependencies` too by some registries, and a regular one wins over a peer. */
function declaredBy(entry: LockPackage): { alias: string; range: string; kind: DependencyKind }[] {
  const kinds = new Map<string, { alias: string; range: string; kind: DependencyKind }>();
  for (const [alias, range] of Object.entries(entry.peerDependencies)) {
    kinds.set(alias, { alias, range, kind: entry.optionalPeers.includes(alias) ? "optionalPeer" : "peer" });
  }
  for (const [alias, range] of Object.entries(entry.dependencies)) kinds.set(alias, { alias, range, kind: "dependency" });
  for (const [alias, range] of Object.entries(entry.optionalDependencies)) kinds.set(alias, { alias, range, kind: "optional" });
  return [...kinds.values()].sort((a, b) => (a.alias < b.alias ? -1 : 1));
}
