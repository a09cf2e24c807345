import { type Manifest, type NodeId, nodeOf, type PackageName } from "../contract/index.ts";

/** One package at one place below `node_modules`. */
export interface Place {
  path: string;
  node: NodeId;
  /** The package in whose own `node_modules` it is; absent at the top. */
  parent: Place | undefined;
  depth: number;
  /** What is in its own `node_modules`. */
  inner: Map<PackageName, Place>;
  /** What was looked for from here or below and found further up: nothing else may come between. */
  passed: Map<PackageName, NodeId>;
}

/** Where each package goes so that TypeScript, looking upwards from any of them, finds what the lock says. */
export interface Layout {
  /** The allowlist's. */
  top: ReadonlyMap<PackageName, Place>;
  /** Settles where the dependencies of `place` and its whole subtree are. Idempotent. */
  settle(place: Place): void;
  /** More places than one subtree may have, or deeper ones: some dependencies were left out. */
  isCutOff(): boolean;
}

export const layoutLimits = { places: 20_000, depth: 16 };

/**
 * Only the allowlist is at the top, so that nothing else can be imported by accident. What a top package needs goes into its own `node_modules`, as high as its
 * neighbours allow; a place depends on the manifest alone, not on what was asked for before.
 */
export function createLayout(manifest: Manifest, limits = layoutLimits): Layout {
  const top = new Map<PackageName, Place>();
  for (const [alias, node] of Object.entries(manifest.roots) as [PackageName, NodeId][]) {
    top.set(alias, createPlace(alias, node, undefined));
  }
  const settled = new Set<Place>();
  let cutOff = false;

  const settle = (root: Place) => {
    if (settled.has(root)) return;
    settled.add(root);
    let places = 0;
    const queue = [root];
    for (let i = 0; i < queue.length; i++) {
      const place = queue[i] as Place;
      for (const [alias, id] of dependenciesOf(manifest, place.node)) {
        if (isFound(place, alias, id)) continue;
        if (places >= limits.places || place.depth >= limits.depth) {
          cutOff = true;
          continue;
        }
        places += 1;
        queue.push(put(place, alias, id));
      }
    }
  };

  /** Whether looking upwards from `place` finds `id`; then it stays so. */
  const isFound = (place: Place, alias: PackageName, id: NodeId): boolean => {
    const through: Place[] = [];
    for (let at: Place | undefined = place; at; at = at.parent) {
      const found = at.inner.get(alias);
      if (found) {
        if (found.node !== id) return false;
        for (const each of through) each.passed.set(alias, id);
        return true;
      }
      through.push(at);
    }
    if (top.get(alias)?.node !== id) return false;
    for (const each of through) each.passed.set(alias, id);
    return true;
  };

  return {
    top,
    settle(place) {
      let root = place;
      while (root.parent) root = root.parent;
      settle(root);
    },
    isCutOff: () => cutOff,
  };
}

/** As high as it can be without coming between anyone and what they find. */
function put(from: Place, alias: PackageName, id: NodeId): Place {
  let target = from;
  const below: Place[] = [];
  let waiting: Place[] = [];
  for (let at: Place | undefined = from; at && !at.inner.has(alias); at = at.parent) {
    if (!at.passed.has(alias) || at.passed.get(alias) === id) {
      target = at;
      below.push(...waiting);
      waiting = [];
    }
    waiting.push(at);
  }
  for (const place of below) place.passed.set(alias, id);
  const place = createPlace(alias, id, target);
  target.inner.set(alias, place);
  return place;
}

const createPlace = (alias: PackageName, node: NodeId, parent: Place | undefined): Place => ({
  path: parent ? `${parent.path}/node_modules/${alias}` : `node_modules/${alias}`,
  node,
  parent,
  depth: parent ? parent.depth + 1 : 0,
  inner: new Map(),
  passed: new Map(),
});

const dependenciesOf = (manifest: Manifest, id: NodeId): [PackageName, NodeId][] =>
  Object.entries(nodeOf(manifest, id).dependencies) as [PackageName, NodeId][];
