import semver from "semver";
import {
  type BlobKey,
  blobKeyOf,
  type ExactVersion,
  type GenerationDiff,
  type GenerationSize,
  type Manifest,
  type ManifestNode,
  type PackageChange,
  type PackageName,
} from "../../contract/index.ts";

/** Of a blob that is stored. */
export interface BlobSize {
  sizeBytes: number;
  unpackedBytes?: number;
}
export type SizeOf = (key: BlobKey) => BlobSize | undefined;

interface Holding {
  versions: Set<ExactVersion>;
  blobs: Set<BlobKey>;
}

/** What changed between two manifests, by package name, ascending, and in all: a blob that two names share counts once there. Pure. */
export function diffManifests(from: Manifest, to: Manifest, sizeOf: SizeOf): Omit<GenerationDiff, "environment" | "from" | "to"> {
  const [before, after] = [holdings(from), holdings(to)];
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  const isRoot = (name: string) => Object.hasOwn(from.roots, name) || Object.hasOwn(to.roots, name);
  const changes = names.flatMap((name): PackageChange[] => {
    const [old, current] = [before.get(name), after.get(name)];
    if (old && current && sameBlobs(old, current)) return [];
    return [
      {
        name,
        change: old === undefined ? "added" : current === undefined ? "removed" : "changed",
        from: ascending(old),
        to: ascending(current),
        transitive: !isRoot(name),
        ...byteChanges(old?.blobs ?? new Set(), current?.blobs ?? new Set(), sizeOf),
      },
    ];
  });
  const [oldBlobs, newBlobs] = [blobsOf(from), blobsOf(to)];
  return {
    changes,
    ...byteChanges(oldBlobs, newBlobs, sizeOf),
    sizes: { from: sizeIn(from, oldBlobs, sizeOf), to: sizeIn(to, newBlobs, sizeOf) },
  };
}

function byteChanges(from: ReadonlySet<BlobKey>, to: ReadonlySet<BlobKey>, sizeOf: SizeOf) {
  const added = bytesOf(to.difference(from), sizeOf);
  return {
    addedBytes: added.packed,
    addedUnpackedBytes: added.unpacked,
    removedBytes: bytesOf(from.difference(to), sizeOf).packed,
  };
}

function sizeIn(manifest: Manifest, blobs: ReadonlySet<BlobKey>, sizeOf: SizeOf): GenerationSize {
  const { packed, unpacked } = bytesOf(blobs, sizeOf);
  return { nodes: Object.keys(manifest.nodes).length, packedBytes: packed, unpackedBytes: unpacked };
}

function bytesOf(keys: ReadonlySet<BlobKey>, sizeOf: SizeOf): { packed: number; unpacked: number } {
  const sizes = [...keys].map(sizeOf);
  return {
    packed: sizes.reduce((sum, size) => sum + (size?.sizeBytes ?? 0), 0),
    unpacked: sizes.reduce((sum, size) => sum + (size?.unpackedBytes ?? 0), 0),
  };
}

const nodesOf = (manifest: Manifest): ManifestNode[] => Object.values(manifest.nodes);

const blobsOf = (manifest: Manifest): Set<BlobKey> => new Set(nodesOf(manifest).map((node) => blobKeyOf(node.integrity)));

function holdings(manifest: Manifest): Map<PackageName, Holding> {
  const result = new Map<PackageName, Holding>();
  for (const node of nodesOf(manifest)) {
    const holding = result.get(node.name) ?? { versions: new Set(), blobs: new Set() };
    holding.versions.add(node.version);
    holding.blobs.add(blobKeyOf(node.integrity));
    result.set(node.name, holding);
  }
  return result;
}

const sameBlobs = (a: Holding, b: Holding): boolean =>
  a.blobs.size === b.blobs.size && [...a.blobs].every((key) => b.blobs.has(key));

const ascending = (holding: Holding | undefined): ExactVersion[] => [...(holding?.versions ?? [])].sort(semver.compare);
