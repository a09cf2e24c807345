import {
  type BlobKey,
  blobKeyOf,
  type GenerationChanges,
  type LockfileHash,
  type Manifest,
  parseManifest,
} from "../../contract/index.ts";
import { getBlobEntries, getManifest, type Queryable } from "../../db/index.ts";
import { diffManifests, type SizeOf } from "./diff-manifests.ts";

const nothing: Manifest = { format: 1, roots: {}, nodes: {} };

/** How a generation's manifest differs from that of the one before, or from nothing. `undefined`: that one's was collected. */
export async function readChanges(
  tx: Queryable,
  {
    previous,
    lockfileHash,
    known = new Map(),
  }: {
    previous: LockfileHash | undefined;
    lockfileHash: LockfileHash;
    /** Manifests that need not be read. */
    known?: ReadonlyMap<LockfileHash, Manifest>;
  },
): Promise<GenerationChanges | undefined> {
  const read = async (hash: LockfileHash) => known.get(hash) ?? (await readManifest(tx, hash));
  const before = previous === undefined ? nothing : await read(previous);
  const after = await read(lockfileHash);
  if (before === undefined || after === undefined) return undefined;
  const { changes, addedBytes } = diffManifests(before, after, await readSizes(tx, [after]));
  const count = (kind: string) => changes.filter(({ change }) => change === kind).length;
  return { added: count("added"), removed: count("removed"), changed: count("changed"), addedBytes };
}

/** `undefined`: it was collected. */
export async function readManifest(tx: Queryable, hash: LockfileHash): Promise<Manifest | undefined> {
  const stored = await getManifest(tx, hash);
  return stored && parseManifest(stored.body);
}

/** Of the blobs that manifests name, as far as they are stored. */
export async function readSizes(tx: Queryable, manifests: Manifest[]): Promise<SizeOf> {
  const nodes = manifests.flatMap((manifest) => Object.values(manifest.nodes));
  const keys = [...new Set<BlobKey>(nodes.map((node) => blobKeyOf(node.integrity)))];
  const entries = await getBlobEntries(tx, keys);
  return (key) => entries.get(key);
}
