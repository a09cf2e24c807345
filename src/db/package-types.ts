import { and, eq, exists, inArray, sql } from "drizzle-orm";
import type { BlobKey, EnvironmentName } from "../contract/index.ts";
import { referring } from "./blob-index.ts";
import type { Queryable } from "./queryable.ts";
import { blobs, packageTypes } from "./schema.ts";

/** What was cut from a tarball. A copy of what the blob says: nothing is lost with it. */
export interface StoredTypes {
  blobKey: BlobKey;
  /** SHA-512 of the bundle, unpacked. */
  bundleKey: BlobKey;
  /** The bundle, gzipped. */
  content: Uint8Array;
}

/** A blob's declarations as they are listed; `outline` is JSON of whoever reads it, null before anyone looked. */
export interface ListedTypes {
  blobKey: BlobKey;
  bundleKey: BlobKey;
  outline: string | null;
}

/** The blobs' rows must be there; their declarations go with them. Replaces other declarations; the same ones keep their outline. Each blob once. */
export async function putPackageTypes(tx: Queryable, types: readonly StoredTypes[]): Promise<void> {
  if (types.length === 0) return;
  const outline = sql`case when ${packageTypes.bundleKey} = excluded.bundle_key then ${packageTypes.outline} end`;
  await tx
    .insert(packageTypes)
    .values(types.map(({ blobKey, bundleKey, content }) => ({ blobKey, bundleKey, content })))
    .onConflictDoUpdate({
      target: packageTypes.blobKey,
      set: { bundleKey: sql`excluded.bundle_key`, content: sql`excluded.content`, outline },
    });
}

/** Only while the bundle is the one that was looked at. */
export async function setTypesOutline(
  tx: Queryable,
  found: { blobKey: BlobKey; bundleKey: BlobKey; outline: string },
): Promise<void> {
  await tx
    .update(packageTypes)
    .set({ outline: found.outline })
    .where(and(eq(packageTypes.blobKey, found.blobKey), eq(packageTypes.bundleKey, found.bundleKey)));
}

/** Those of `keys` that have some. */
export async function listPackageTypes(tx: Queryable, keys: readonly BlobKey[]): Promise<ListedTypes[]> {
  if (keys.length === 0) return [];
  const { blobKey, bundleKey, outline } = packageTypes;
  return await tx
    .select({ blobKey, bundleKey, outline })
    .from(packageTypes)
    .where(inArray(blobKey, [...keys]));
}

export async function getPackageTypes(tx: Queryable, blobKey: BlobKey): Promise<StoredTypes | undefined> {
  const [row] = await tx.select(columns).from(packageTypes).where(eq(packageTypes.blobKey, blobKey));
  return row;
}

/** Only if a generation of `environment` refers to a blob that they were cut from. */
export async function getTypesBundleOf(
  tx: Queryable,
  environment: EnvironmentName,
  bundleKey: BlobKey,
): Promise<StoredTypes | undefined> {
  const [row] = await tx
    .select(columns)
    .from(packageTypes)
    .innerJoin(blobs, eq(blobs.key, packageTypes.blobKey))
    .where(and(eq(packageTypes.bundleKey, bundleKey), exists(referring(tx, environment))))
    .limit(1);
  return row;
}

/** A damaged copy is forgotten, and cut again when it is next asked for. */
export async function dropPackageTypes(tx: Queryable, blobKey: BlobKey): Promise<void> {
  await tx.delete(packageTypes).where(eq(packageTypes.blobKey, blobKey));
}

const columns = { blobKey: packageTypes.blobKey, bundleKey: packageTypes.bundleKey, content: packageTypes.content };
