import type { LockPackage } from "./bun-lock.ts";
import type { LockGraph } from "./lock-graph.ts";

/**
 * For each entry that can be reached from `start`: the names that it, or something below it, takes from whoever depends on it. Two uses of an entry whose
 * dependents agree on these names are the same. A peer that another package provides is not "below": it is where its provider put it.
 */
export function peerNames(graph: LockGraph, start: Iterable<LockPackage>): Map<LockPackage, ReadonlySet<string>> {
  const names = new Map<LockPackage, Set<string>>();
  const dependents = new Map<LockPackage, LockPackage[]>();
  const reached = new Set(start);
  for (const entry of reached) {
    const { edges, peers } = graph.node(entry);
    names.set(entry, new Set(peers.keys()));
    const below = [...edges.values()].map(({ to }) => to);
    for (const { alias, nested } of peers.values()) {
      if (nested) below.push(nested);
      const top = graph.top(alias);
      if (top) reached.add(top);
    }
    for (const child of below) {
      reached.add(child);
      const list = dependents.get(child);
      if (list) list.push(entry);
      else dependents.set(child, [entry]);
    }
  }
  const queue = new Set(reached);
  for (const entry of queue) {
    queue.delete(entry);
    for (const dependent of dependents.get(entry) ?? []) {
      const { edges } = graph.node(dependent);
      const known = names.get(dependent) as Set<string>;
      const before = known.size;
      for (const name of names.get(entry) ?? []) if (!edges.has(name)) known.add(name);
      if (known.size > before) queue.add(dependent);
    }
  }
  return names;
}
