import type { LockfileHash } from "../contract/for-hosts.ts";
import type { StoreLayout } from "./layout.ts";
import { readTreeRecord, type TreeRecord } from "./record.ts";

/** Trees' packages as their records say, which never change: read once in a writer's life. */
export type KnownTrees = Map<LockfileHash, TreeRecord["packages"]>;

/** `undefined`: the record is missing or damaged. */
export async function treePackages(
  layout: StoreLayout,
  tree: LockfileHash,
  known: KnownTrees,
): Promise<TreeRecord["packages"] | undefined> {
  const packages = known.get(tree) ?? (await readTreeRecord(layout, tree))?.packages;
  if (packages) known.set(tree, packages);
  return packages;
}
