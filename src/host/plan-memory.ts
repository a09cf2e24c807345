import type { ManifestNode, NodeId, PackageName } from "../contract/for-hosts.ts";
import type { KeyedNode, KnownKey } from "./package-keys.ts";
import type { PlannedPackage } from "./plan-tree.ts";

/** What planning has worked out for a node of a manifest, for the next manifest that holds the same object. */
export interface PlannedNode {
  /** With all its dependencies, sorted by alias. */
  whole: KeyedNode;
  /** Without those that are absent on the platform. */
  present?: KeyedNode;
  keyed?: KnownKey;
  planned?: PlannedPackage;
}

/** For plans of one platform. */
export interface PlanMemory {
  of(node: ManifestNode): PlannedNode;
}

export function createPlanMemory(): PlanMemory {
  const known = new WeakMap<ManifestNode, PlannedNode>();
  return {
    of(node) {
      const found = known.get(node);
      if (found) return found;
      const made: PlannedNode = { whole: keyedNode(node, Object.entries(node.dependencies) as [PackageName, NodeId][]) };
      known.set(node, made);
      return made;
    },
  };
}

/** The node as this platform has it: the same object for as long as the same of its dependencies are there. */
export function presentNode(node: ManifestNode, remembered: PlannedNode, isPresent: (id: NodeId) => boolean): KeyedNode {
  const { whole, present } = remembered;
  if (whole.targets.every(isPresent)) return whole;
  const edges = whole.aliases.map((alias, index) => [alias, whole.targets[index] as NodeId] as const);
  const made = keyedNode(
    node,
    edges.filter(([, id]) => isPresent(id)),
  );
  if (present && present.aliases.join() === made.aliases.join()) return present;
  remembered.present = made;
  return made;
}

function keyedNode({ name, integrity }: ManifestNode, edges: readonly (readonly [PackageName, NodeId])[]): KeyedNode {
  const sorted = [...edges].sort(([a], [b]) => (a < b ? -1 : 1));
  return { name, integrity, aliases: sorted.map(([alias]) => alias), targets: sorted.map(([, id]) => id) };
}
