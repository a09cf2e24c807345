import type { LockfileHash } from "../contract/for-hosts.ts";
import type { PackageKey, StoreLayout } from "./layout.ts";
import { readPackageRecord, readTreeRecord } from "./record.ts";

/** What a store's packages take, as recorded; each is looked up once. What several packages share on disk counts for each of them. */
export interface StoreSize {
  ofPackages(keys: Iterable<PackageKey>): Promise<number>;
  ofTrees(trees: Iterable<LockfileHash>): Promise<number>;
}

export function createStoreSize(layout: StoreLayout): StoreSize {
  const known = new Map<PackageKey, number>();
  const ofPackage = async (key: PackageKey): Promise<number> => {
    const seen = known.get(key);
    if (seen !== undefined) return seen;
    const files = (await readPackageRecord(layout, key))?.files ?? [];
    const bytes = files.reduce((total, file) => total + file.sizeBytes, 0);
    known.set(key, bytes);
    return bytes;
  };
  const ofPackages = async (keys: Iterable<PackageKey>): Promise<number> => {
    let total = 0;
    for (const key of keys) total += await ofPackage(key);
    return total;
  };
  return {
    ofPackages,
    async ofTrees(trees) {
      const keys = new Set<PackageKey>();
      for (const tree of trees) for (const { key } of (await readTreeRecord(layout, tree))?.packages ?? []) keys.add(key);
      return ofPackages(keys);
    },
  };
}
