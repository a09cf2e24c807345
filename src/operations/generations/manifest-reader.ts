import type { LockfileHash, Manifest } from "../../contract/index.ts";
import type { Queryable } from "../../db/index.ts";
import { readManifest } from "./read-changes.ts";

/** `undefined`: it was collected. */
export type ManifestReader = (tx: Queryable, hash: LockfileHash) => Promise<Manifest | undefined>;

/** Keeps the manifests that were read last: what a hash names never changes. Each takes about 1 MB for 400 packages. */
export function createManifestReader(limit = 8): ManifestReader {
  const kept = new Map<LockfileHash, Manifest>();
  return async (tx, hash) => {
    const manifest = kept.get(hash) ?? (await readManifest(tx, hash));
    if (manifest === undefined) return undefined;
    kept.delete(hash);
    kept.set(hash, manifest);
    for (const oldest of kept.keys()) {
      if (kept.size <= limit) break;
      kept.delete(oldest);
    }
    return manifest;
  };
}
