import { type BlobKey, blobKeyOf, parseManifest } from "../contract/index.ts";
import { getManifest, listManifestsNaming, type Queryable } from "../db/index.ts";

/** With `packages`: whose tarballs they are, as far as the manifests that there are say. For the few that something is wrong with. */
export async function namePackages<T extends { blob: BlobKey }>(
  tx: Queryable,
  troubles: readonly T[],
): Promise<(T & { packages: string[] })[]> {
  const labels = new Map(troubles.map(({ blob }) => [blob, new Set<string>()]));
  for (const lockfileHash of await listManifestsNaming(tx, [...labels.keys()])) {
    const stored = await getManifest(tx, lockfileHash);
    if (stored === undefined) continue;
    for (const { name, version, integrity } of Object.values(parseManifest(stored.body).nodes)) {
      labels.get(blobKeyOf(integrity))?.add(`${name}@${version}`);
    }
  }
  return troubles.map((trouble) => ({ ...trouble, packages: [...(labels.get(trouble.blob) ?? [])].sort() }));
}
