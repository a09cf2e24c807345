import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { isLockfileHash, LarderError, type LockfileHash, type Manifest, parseManifest } from "../contract/for-hosts.ts";
import {
  dropPackages,
  markSettled,
  materialise,
  planTree,
  readKeptManifest,
  restoreCurrent,
  type StoreWriter,
  type VerifyReport,
} from "../host/index.ts";
import type { ControlPlane } from "./control-plane.ts";

export interface RepairSummary {
  packagesBuilt: number;
  treesBuilt: number;
  pulledBytes: number;
}

export interface RepairOptions {
  controlPlane: ControlPlane;
  /** What a verification found. */
  damaged: VerifyReport["damaged"];
  signal: AbortSignal;
}

/**
 * Makes anew what is damaged, in every tree here, fetches only that, and mends the link to the current one. A package of no tree is dropped. Afterwards the store is trusted. Throws what
 * stops it, `E_SERVER_UNREACHABLE` say; what was mended by then stays mended, and what was damaged stays in place.
 */
export async function repairStore(writer: StoreWriter, { controlPlane, damaged, signal }: RepairOptions): Promise<RepairSummary> {
  const { store } = writer;
  const packages = new Set<string>(damaged.packages);
  const trees = new Set<string>(damaged.trees);
  const summary: RepairSummary = { packagesBuilt: 0, treesBuilt: 0, pulledBytes: 0 };
  const here = (await readdir(store.layout.trees)).filter(isLockfileHash);
  for (const lockfileHash of new Set([...here, ...damaged.trees])) {
    if (packages.size === 0 && trees.size === 0) break;
    const manifest = await manifestOf(writer, lockfileHash, { controlPlane, signal });
    const plan = planTree(manifest, { lockfileHash, platform: store.platform });
    const broken = plan.packages.filter(({ key }) => packages.has(key));
    if (broken.length === 0 && !trees.has(lockfileHash)) continue;
    const made = await materialise(writer, plan, {
      fetchBlob: (key, blobSignal) => controlPlane.blob(key, blobSignal),
      signal,
      rebuild: { packages, tree: trees.has(lockfileHash) },
    });
    summary.packagesBuilt += made.packagesBuilt;
    summary.pulledBytes += made.pulledBytes;
    summary.treesBuilt += trees.delete(lockfileHash) ? 1 : 0;
    for (const { key } of broken) packages.delete(key);
  }
  await dropPackages(writer, packages);
  await restoreCurrent(writer);
  await markSettled(store.layout);
  return summary;
}

/** A tree's name is the digest of its manifest, so that its bytes need no other proof. */
async function manifestOf(
  { store }: StoreWriter,
  lockfileHash: LockfileHash,
  { controlPlane, signal }: Pick<RepairOptions, "controlPlane" | "signal">,
): Promise<Manifest> {
  const kept = await readKeptManifest(store, lockfileHash);
  if (kept) return kept;
  const { bytes } = await controlPlane.manifest(lockfileHash, { signal });
  if (createHash("sha256").update(bytes).digest("hex") === lockfileHash) return parseManifest(new TextDecoder().decode(bytes));
  throw new LarderError("E_MANIFEST", `The manifest ${lockfileHash.slice(0, 16)}… is not the one that the tree was built from.`, {
    hint: "Something between the control plane and this host changed it, or its database is damaged.",
    retryable: true,
  });
}
