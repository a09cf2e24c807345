import type { BlobKey, Host, LockfileHash, Manifest, ManifestNode, Plan } from "../../contract/index.ts";
import type { Db } from "../../db/index.ts";
import type { ManifestReader } from "../generations/manifest-reader.ts";
import { estimatePacked, type KnownSize, wantedBlobs } from "../install/caps.ts";

export interface PullsInput {
  hosts: readonly Host[];
  manifest: Manifest;
  known: ReadonlyMap<BlobKey, KnownSize>;
}

/** What each host would pull to serve `manifest`, counted from the tree that it last reported; what else it has kept spares it more. */
export async function hostPulls(
  { db, readManifest }: { db: Db; readManifest: ManifestReader },
  { hosts, manifest, known }: PullsInput,
): Promise<Plan["hosts"]> {
  const pulls: Plan["hosts"] = [];
  for (const { id, platform, lockfileHash } of hosts) {
    // Nobody knows what a host needs that has not said what it is.
    if (platform === undefined) continue;
    const tree = lockfileHash === undefined ? undefined : await readManifest(db.query, lockfileHash as LockfileHash);
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
