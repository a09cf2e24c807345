import { blobKeyOf, type Integrity, LarderError, type Progress } from "../contract/for-hosts.ts";
import { syncDirectory } from "../lib/index.ts";
import { assertDistinctNames } from "./assert-distinct-names.ts";
import { buildTree } from "./build-tree.ts";
import { clonePackage } from "./clone-package.ts";
import { describeDiskError, describeDiskErrors } from "./disk-error.ts";
import { knownDonors } from "./donors.ts";
import type { HostStore } from "./host-store.ts";
import { listPackages } from "./list-trees.ts";
import { planPackageJob } from "./package-job.ts";
import type { PlannedPackage, TreePlan } from "./plan-tree.ts";
import { pullTarballs, type Tarball, type TarballSource } from "./pull-tarballs.ts";
import { currentBootId } from "./record.ts";
import { createFileSharer } from "./share-files.ts";
import type { StoreWriter } from "./store-writer.ts";

export interface MaterialiseOptions extends TarballSource {
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
  return writer.exclusive(() => describeDiskErrors(layout.directory, () => build(writer, plan, options)));
}

async function build(writer: StoreWriter, plan: TreePlan, options: MaterialiseOptions): Promise<Materialised> {
  const { layout } = writer.store;
  if (!writer.traits.caseSensitive) assertDistinctNames(plan);
  const rebuilt = options.rebuild?.packages ?? new Set();
  const absent = new Set((await missingPackages(writer.store, plan)).map(({ key }) => key));
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
  if (wanted.length > 0) {
    const done = (planned: PlannedPackage, packedBytes?: number) => {
      result.packagesBuilt += 1;
      if (packedBytes !== undefined) {
        result.pulledBytes += packedBytes;
        result.pulledBlobs += 1;
      }
      report(planned);
    };
    await buildPackages(writer, wanted, { ...options, rebuilt, done });
    await syncDirectory(layout.packages);
  }
  await buildTree(writer, plan, { replace: options.rebuild?.tree ?? false });
  await syncDirectory(layout.trees);
  return result;
}

interface BuildOptions extends TarballSource {
  signal: AbortSignal;
  rebuilt: ReadonlySet<string>;
  /** `packedBytes`: of a tarball that was pulled for it. */
  done(planned: PlannedPackage, packedBytes?: number): void;
}

/** One package of each tarball is unpacked, unless there is one to share files with; the others share its files. */
async function buildPackages(
  writer: StoreWriter,
  wanted: readonly PlannedPackage[],
  { signal: outer, rebuilt, done, ...source }: BuildOptions,
): Promise<void> {
  const { layout } = writer.store;
  const donors = await knownDonors(writer, rebuilt);
  const sharer = createFileSharer();
  const bootId = await currentBootId();
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);

  const describe = (error: unknown, planned: PlannedPackage): unknown => {
    stop.abort();
    return describeFailure(describeDiskError(error, layout.directory), planned);
  };
  const naming = async <T>(planned: PlannedPackage, task: () => Promise<T>): Promise<T> => {
    try {
      signal.throwIfAborted();
      return await task();
    } catch (error) {
      throw describe(error, planned);
    }
  };
  const jobOf = (planned: PlannedPackage) => planPackageJob(layout, planned, { bootId, replace: rebuilt.has(planned.key) });
  const clone = async (planned: PlannedPackage): Promise<boolean> => {
    const donor = donors.get(planned.integrity);
    if (donor === undefined) return false;
    if (!(await clonePackage(layout, jobOf(planned), { donor, sharer }))) return false;
    done(planned);
    return true;
  };

  const groups = new Map<Integrity, PlannedPackage[]>();
  for (const group of groupByTarball(wanted)) {
    const left = [...group];
    while (left[0] && (await naming(left[0], () => clone(left[0] as PlannedPackage)))) left.shift();
    if (left[0]) groups.set(left[0].integrity, left);
  }
  if (groups.size === 0) return;
  // With what reads archives behind it: a host that goes back to what it has does not wait for that.
  const { openUnpacker } = await import("./unpacker.ts");
  await using unpacker = openUnpacker(groups.size, signal);
  const unpack = async (planned: PlannedPackage, tarball: Tarball) => {
    const packedBytes = await unpacker.unpack(jobOf(planned), tarball);
    donors.set(planned.integrity, planned.key);
    done(planned, packedBytes);
  };
  await pullTarballs(largestFirst(groups), {
    ...source,
    signal,
    describe: (error, integrity) => describe(error, groups.get(integrity)?.[0] as PlannedPackage),
    async take(integrity, tarball) {
      const [first, ...rest] = groups.get(integrity) as [PlannedPackage, ...PlannedPackage[]];
      await naming(first, () => unpack(first, tarball));
      for (const planned of rest) {
        await naming(planned, async () => {
          if (await clone(planned)) return;
          await unpack(planned, await source.fetchBlob(blobKeyOf(integrity), signal));
        });
      }
    },
  });
}

function groupByTarball(packages: readonly PlannedPackage[]): Iterable<PlannedPackage[]> {
  const groups = new Map<Integrity, PlannedPackage[]>();
  for (const planned of packages) {
    const group = groups.get(planned.integrity);
    if (group) group.push(planned);
    else groups.set(planned.integrity, [planned]);
  }
  return groups.values();
}

/** So that the last ones to be unpacked are small, and all threads end together. */
function largestFirst(groups: ReadonlyMap<Integrity, readonly PlannedPackage[]>): Integrity[] {
  const size = (integrity: Integrity) => groups.get(integrity)?.[0]?.unpackedBytes ?? 0;
  return [...groups.keys()].sort((a, b) => size(b) - size(a));
}

/** A failure that does not name its package, a lost connection say, gets its name. */
function describeFailure(error: unknown, planned: PlannedPackage): unknown {
  if (!(error instanceof LarderError)) return error;
  const label = `${planned.name}@${planned.version}`;
  if (error.message.includes(label)) return error;
  return new LarderError(error.code, `${label}: ${error.message}`, {
    hint: error.hint,
    retryable: error.retryable,
    details: { package: label, ...error.details },
    cause: error,
  });
}
