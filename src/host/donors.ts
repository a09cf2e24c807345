import type { Integrity } from "../contract/for-hosts.ts";
import type { PackageKey } from "./layout.ts";
import { listPackages, listTrees } from "./list-trees.ts";
import type { StoreWriter } from "./store-writer.ts";
import { treePackages } from "./tree-packages.ts";

/** Tarball → a package here that was built from it, and whose files another may share. A hint: the package may be gone or damaged by now. */
export type Donors = Map<Integrity, PackageKey>;

/** Reads what the trees here were built from, once in a writer's life; whoever builds a package adds it. */
export async function knownDonors(writer: StoreWriter, damaged: ReadonlySet<string>): Promise<Donors> {
  writer.memory.donors ??= await readDonors(writer);
  const { donors } = writer.memory;
  if (damaged.size > 0) for (const [integrity, key] of donors) if (damaged.has(key)) donors.delete(integrity);
  return donors;
}

async function readDonors({ store: { layout }, memory }: StoreWriter): Promise<Donors> {
  const there = new Set(await listPackages(layout));
  const donors: Donors = new Map();
  for (const tree of await listTrees(layout)) {
    for (const { key, integrity } of (await treePackages(layout, tree, memory.trees)) ?? []) {
      if (there.has(key)) donors.set(integrity, key);
    }
  }
  return donors;
}
