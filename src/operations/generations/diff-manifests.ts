import semver from "semver";
import {
  type BlobKey,
  blobKeyOf,
  type ExactVersion,
  type Manifest,
  type ManifestNode,
  type PackageChange,
  type PackageName,
} from "../../contract/index.ts";

interface Holding {
  versions: Set<ExactVersion>;
  blobs: Set<BlobKey>;
}

/** What changed between two manifests, by package name, ascending. Pure. `sizeOf` says a blob's packed bytes, when it is known. */
export function diffManifests(from: Manifest, to: Manifest, sizeOf: (key: BlobKey) => number | undefined): PackageChange[] {
  const [before, after] = [holdings(from), holdings(to)];
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name) => {
    const [old, current] = [before.get(name), after.get(name)];
    if (old && current && sameBlobs(old, current)) return [];
    const added = [...(current?.blobs ?? [])].filter((key) => !old?.blobs.has(key));
    return {
      name,
      change: old === undefined ? "added" : current === undefined ? "removed" : "changed",
      from: ascending(old),
      to: ascending(current),
      transitive: !Object.hasOwn(from.roots, name) && !Object.hasOwn(to.roots, name),
      addedBytes: added.reduce((sum, key) => sum + (sizeOf(key) ?? 0), 0),
    } satisfies PackageChange;
  });
}

function holdings(manifest: Manifest): Map<PackageName, Holding> {
  const result = new Map<PackageName, Holding>();
  for (const node of Object.values(manifest.nodes) as ManifestNode[]) {
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
