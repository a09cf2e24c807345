import { LRUCache } from "lru-cache";
import type { LockfileHash, Manifest } from "../../contract/index.ts";
import type { Queryable } from "../../db/index.ts";
import { readManifest } from "./read-changes.ts";

/** `undefined`: it was collected. */
export type ManifestReader = (tx: Queryable, hash: LockfileHash) => Promise<Manifest | undefined>;

/** Keeps the manifests that were read last: what a hash names never changes. Each takes about 1 MB for 400 packages. */
export function createManifestReader(limit = 8): ManifestReader {
  const kept = new LRUCache<LockfileHash, Manifest>({ max: limit });
  return async (tx, hash) => {
    const manifest = kept.get(hash) ?? (await readManifest(tx, hash));
    if (manifest !== undefined) kept.set(hash, manifest);
    return manifest;
  };
}
