import {
  type BlobKey,
  type Host,
  type LockfileHash,
  type Manifest,
  type ManifestNode,
  type Plan,
  parseManifest,
} from "../../contract/index.ts";
import { type Db, getManifest } from "../../db/index.ts";
import { estimatePacked, type KnownSize, wantedBlobs } from "../install/caps.ts";

export interface PullsInput {
  hosts: readonly Host[];
  manifest: Manifest;
  known: ReadonlyMap<BlobKey, KnownSize>;
}

/** What each host would pull to serve `manifest`, counted from the tree that it last reported; what else it has kept spares it more. */
export async function hostPulls(db: Db, { hosts, manifest, known }: PullsInput): Promise<Plan["hosts"]> {
  const trees = new Map<string, Manifest | undefined>();
  const treeOf = async (hash: string): Promise<Manifest | undefined> => {
    if (!trees.has(hash)) {
      const stored = await getManifest(db.query, hash as LockfileHash);
      trees.set(hash, stored && parseManifest(stored.body));
    }
    return trees.get(hash);
  };
  const pulls: Plan["hosts"] = [];
  for (const { id, platform, lockfileHash } of hosts) {
    // Nobody knows what a host needs that has not said what it is.
    if (platform === undefined) continue;
    const tree = lockfileHash === undefined ? undefined : await treeOf(lockfileHash);
    const held = tree ? wantedBlobs(tree, [platform]) : new Map<BlobKey, ManifestNode>();
    const missing = [...wantedBlobs(manifest, [platform])].filter(([key]) => !held.has(key));
    pulls.push({
      id,
      tarballs: missing.length,
      packedBytes: missing.reduce((sum, [key, node]) => sum + (known.get(key)?.sizeBytes ?? estimatePacked(node)), 0),
      packedIsEstimate: missing.some(([key]) => !known.has(key)),
    });
  }
  return pulls;
}
