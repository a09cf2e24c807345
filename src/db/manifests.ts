import { and, desc, eq, exists, inArray, sql } from "drizzle-orm";
import type { AddedDependency, BlobKey, EnvironmentName, Integrity, LockfileHash } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { generations, manifestBlobs, manifests } from "./schema.ts";

export interface StoredManifest {
  lockfileHash: LockfileHash;
  /** SHA-512 of `body`'s UTF-8 bytes. */
  digest: Integrity;
  /** Canonical JSON. */
  body: string;
  nodes: number;
}

const columns = { lockfileHash: manifests.lockfileHash, digest: manifests.digest, body: manifests.body, nodes: manifests.nodes };

/** What is stored with a manifest: `lockfile` is the `bun.lock` that it was made from, `blobs` are its nodes' keys, all platforms. */
export type ManifestToStore = StoredManifest & {
  lockfile: string;
  blobs: readonly BlobKey[];
  addedDependencies?: AddedDependency[];
};

/** Idempotent. In a transaction: a manifest is there with all its blob keys or not at all. The first lockfile of a manifest stays. */
export async function putManifest(tx: Queryable, manifest: ManifestToStore): Promise<void> {
  const { blobs, ...row } = manifest;
  await tx.insert(manifests).values(row).onConflictDoNothing();
  // As one parameter: with one for each row, this was a third of what publishing costs.
  const keys = JSON.stringify([...new Set(blobs)]);
  await tx.execute(
    sql`insert into ${manifestBlobs} (lockfile_hash, blob_key)
      select ${row.lockfileHash}::text, jsonb_array_elements_text(${keys}::jsonb) on conflict do nothing`,
  );
}

export async function getManifest(tx: Queryable, lockfileHash: LockfileHash): Promise<StoredManifest | undefined> {
  const [row] = await tx.select(columns).from(manifests).where(eq(manifests.lockfileHash, lockfileHash));
  return row;
}

/** The `bun.lock` text that the manifest was made from, and the undeclared dependencies in it. */
export async function getLockfile(
  tx: Queryable,
  lockfileHash: LockfileHash,
): Promise<{ lockfile: string; addedDependencies: AddedDependency[] } | undefined> {
  const { lockfile, addedDependencies } = manifests;
  const [row] = await tx.select({ lockfile, addedDependencies }).from(manifests).where(eq(manifests.lockfileHash, lockfileHash));
  return row;
}

/** Only if a generation of `environment` has it: what a host of that environment may read. */
export async function getManifestOf(
  tx: Queryable,
  environment: EnvironmentName,
  lockfileHash: LockfileHash,
): Promise<StoredManifest | undefined> {
  const ofEnvironment = tx
    .select({ number: generations.number })
    .from(generations)
    .where(and(eq(generations.lockfileHash, manifests.lockfileHash), eq(generations.environment, environment)));
  const [row] = await tx
    .select(columns)
    .from(manifests)
    .where(and(eq(manifests.lockfileHash, lockfileHash), exists(ofEnvironment)));
  return row;
}

/** @internal For tests. */
export async function listManifestBlobs(tx: Queryable, lockfileHash: LockfileHash): Promise<BlobKey[]> {
  const rows = await tx
    .select({ key: manifestBlobs.blobKey })
    .from(manifestBlobs)
    .where(eq(manifestBlobs.lockfileHash, lockfileHash))
    .orderBy(manifestBlobs.blobKey);
  return rows.map(({ key }) => key);
}

/** Newest first: those that name any of `keys`; not more than `limit`, for they are large. */
export async function listManifestsNaming(tx: Queryable, keys: readonly BlobKey[], limit = 50): Promise<LockfileHash[]> {
  if (keys.length === 0) return [];
  const naming = tx
    .select({ key: manifestBlobs.blobKey })
    .from(manifestBlobs)
    .where(and(eq(manifestBlobs.lockfileHash, manifests.lockfileHash), inArray(manifestBlobs.blobKey, [...keys])));
  const rows = await tx
    .select({ lockfileHash: manifests.lockfileHash })
    .from(manifests)
    .where(exists(naming))
    .orderBy(desc(manifests.createdAt))
    .limit(limit);
  return rows.map(({ lockfileHash }) => lockfileHash);
}
