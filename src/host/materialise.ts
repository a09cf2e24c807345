import { type BlobKey, blobKeyOf, type Integrity, LarderError, type Progress } from "../contract/index.ts";
import { mapConcurrent, syncDirectory } from "../lib/index.ts";
import { buildPackage, clonePackage } from "./build-package.ts";
import { buildTree } from "./build-tree.ts";
import { describeDiskError, describeDiskErrors } from "./disk-error.ts";
import type { HostStore } from "./host-store.ts";
import type { PackageKey, StoreLayout } from "./layout.ts";
import { listPackages, listTrees } from "./list-trees.ts";
import type { PlannedPackage, TreePlan } from "./plan-tree.ts";
import { readTreeRecord } from "./record.ts";
import { createFileSharer } from "./share-files.ts";
import type { StoreWriter } from "./store-writer.ts";

export interface MaterialiseOptions {
  fetchBlob(key: BlobKey, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  signal: AbortSignal;
  onProgress?(progress: Progress): void;
  /** Packages and tree to make anew although they are there: what `verifyStore` found damaged. */
  rebuild?: { packages: ReadonlySet<string>; tree: boolean };
}

export interface Materialised {
  pulledBytes: number;
  pulledBlobs: number;
  packagesBuilt: number;
  reused: number;
}

/** Memory: each may hold a packed and an unpacked tarball of moderate size. */
const concurrency = 6;

/** The packages of `plan` that this store does not have. */
export async function missingPackages(store: HostStore, plan: TreePlan): Promise<PlannedPackage[]> {
  const there = new Set(await describeDiskErrors(store.layout.packages, () => listPackages(store.layout)));
  return plan.packages.filter(({ key }) => !there.has(key));
}

/**
 * Builds what `plan` lacks here: packages first, their tree last. Does not flip. After a failure, or a kill, what was completed stays and is
 * found again; nothing half-made is ever visible.
 */
export function materialise(writer: StoreWriter, plan: TreePlan, options: MaterialiseOptions): Promise<Materialised> {
  const { layout } = writer.store;
  return writer.exclusive(() => describeDiskErrors(layout.directory, () => build(writer.store, plan, options)));
}

async function build(store: HostStore, plan: TreePlan, options: MaterialiseOptions): Promise<Materialised> {
  const { layout } = store;
  const rebuilt = options.rebuild?.packages ?? new Set();
  const absent = new Set((await missingPackages(store, plan)).map(({ key }) => key));
  const wanted = plan.packages.filter(({ key }) => absent.has(key) || rebuilt.has(key));
  const result = { pulledBytes: 0, pulledBlobs: 0, packagesBuilt: 0, reused: plan.packages.length - wanted.length };
  const report = (subject?: PlannedPackage) =>
    options.onProgress?.({
      phase: "materialise",
      done: result.packagesBuilt,
      total: wanted.length,
      doneBytes: result.pulledBytes,
      ...(subject ? { subject: `${subject.name}@${subject.version}` } : {}),
    });
  report();

  const donors = wanted.length === 0 ? new Map<Integrity, PackageKey>() : await findDonors(layout, rebuilt);
  const sharer = createFileSharer();
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const make = async (planned: PlannedPackage): Promise<void> => {
    const replace = rebuilt.has(planned.key);
    const donor = donors.get(planned.integrity);
    if (donor === undefined || !(await clonePackage(layout, planned, { donor, sharer, replace }))) {
      const content = await options.fetchBlob(blobKeyOf(planned.integrity), signal);
      const packedBytes = await buildPackage(layout, planned, { content, signal, replace });
      result.pulledBytes += packedBytes;
      result.pulledBlobs += 1;
    }
    donors.set(planned.integrity, planned.key);
    result.packagesBuilt += 1;
    report(planned);
  };
  await mapConcurrent([...groupByTarball(wanted)], { limit: concurrency, signal }, async (group) => {
    try {
      for (const planned of group) {
        signal.throwIfAborted();
        await make(planned);
      }
    } catch (error) {
      stop.abort();
      throw describeFailure(describeDiskError(error, layout.directory), group);
    }
  });

  if (result.packagesBuilt > 0) await syncDirectory(layout.packages);
  await buildTree(store, plan, { replace: options.rebuild?.tree ?? false });
  await syncDirectory(layout.trees);
  return result;
}

/** Packages of one tarball are built one after the other: the first is unpacked, the rest share its files. */
function groupByTarball(packages: readonly PlannedPackage[]): Iterable<PlannedPackage[]> {
  const groups = new Map<Integrity, PlannedPackage[]>();
  for (const planned of packages) {
    const group = groups.get(planned.integrity);
    if (group) group.push(planned);
    else groups.set(planned.integrity, [planned]);
  }
  return groups.values();
}

/** A complete package for each tarball that some tree here was built from. */
async function findDonors(layout: StoreLayout, rebuilt: ReadonlySet<string>): Promise<Map<Integrity, PackageKey>> {
  const there = new Set(await listPackages(layout));
  const donors = new Map<Integrity, PackageKey>();
  for (const tree of await listTrees(layout)) {
    for (const { key, integrity } of (await readTreeRecord(layout, tree))?.packages ?? []) {
      if (there.has(key) && !rebuilt.has(key)) donors.set(integrity, key);
    }
  }
  return donors;
}

/** A failure that does not name its package, a lost connection say, gets its name. */
function describeFailure(error: unknown, [planned]: PlannedPackage[]): unknown {
  if (!(error instanceof LarderError) || planned === undefined) return error;
  const label = `${planned.name}@${planned.version}`;
  if (error.message.includes(label)) return error;
  return new LarderError(error.code, `${label}: ${error.message}`, {
    hint: error.hint,
    retryable: error.retryable,
    details: { package: label, ...error.details },
    cause: error,
  });
}
