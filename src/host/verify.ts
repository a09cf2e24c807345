import type { LockfileHash, Progress } from "../contract/for-hosts.ts";
import { mapConcurrent, undefinedOn } from "../lib/index.ts";
import { currentHash, lossOfCurrent } from "./current-tree.ts";
import { describeDiskErrors } from "./disk-error.ts";
import type { HostStore } from "./host-store.ts";
import { type PackageKey, recordName } from "./layout.ts";
import { type Lease, leaseTree } from "./lease.ts";
import { listPackages, listTrees } from "./list-trees.ts";
import { readPackageRecord, readTreeRecord, type TreeRecord } from "./record.ts";
import { createThrottle } from "./throttle.ts";
import { checkPackage } from "./verify-package.ts";
import { checkTree } from "./verify-tree.ts";

export interface Damage {
  kind: "missing" | "extra" | "changed" | "record";
  /** `name@version`, `tree <hash>`, or `link to the current tree`. */
  subject: string;
  /** Relative to the store. */
  path: string;
}

export interface VerifyReport {
  intact: boolean;
  problems: Damage[];
  /** How much was checked. */
  trees: number;
  packages: number;
  files: number;
  bytes: number;
  /** What `materialise({ rebuild })` has to make anew. */
  damaged: { packages: PackageKey[]; trees: LockfileHash[] };
}

const concurrency = 4;

export interface VerifyOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** Packages that no tree reaches too: what a killed build completed, and the next one will use. Otherwise they are leftovers, and not looked at. */
  unreached?: boolean;
  /** Reads no faster than this, one file at a time. */
  bytesPerSecond?: number;
}

/**
 * Compares every file and link of every tree here, and of all packages they reach, with what was recorded when it was unpacked: content, kind,
 * mode, nothing missing, nothing added. Changes nothing.
 */
export async function verifyStore(
  store: HostStore,
  { signal, onProgress, unreached = false, bytesPerSecond }: VerifyOptions = {},
): Promise<VerifyReport> {
  const damaged = { packages: [], trees: [] };
  const report: VerifyReport = { intact: true, problems: [], trees: 0, packages: 0, files: 0, bytes: 0, damaged };
  const leases: Lease[] = [];
  try {
    await describeDiskErrors(store.layout.directory, async () => {
      const reached = await checkTrees(store, report, leases);
      const packages = unreached ? [...reached, ...(await unreachedPackages(store, { reached, report }))] : reached;
      const limit = bytesPerSecond === undefined ? concurrency : 1;
      const throttle = bytesPerSecond === undefined ? undefined : createThrottle(bytesPerSecond, signal);
      await mapConcurrent(packages, { limit, ...(signal ? { signal } : {}) }, async (expected) => {
        const found = await checkPackage(store.layout, expected, throttle);
        report.packages += 1;
        report.files += found.files;
        report.bytes += found.bytes;
        report.problems.push(...found.problems);
        if (found.problems.length > 0) report.damaged.packages.push(expected.key);
        onProgress?.({ phase: "verify", done: report.packages, total: packages.length, doneBytes: report.bytes });
      });
    });
  } finally {
    for (const lease of leases) await lease[Symbol.asyncDispose]();
  }
  report.intact = report.problems.length === 0;
  return report;
}

/** By their own word: what they should be, nobody else knows. One that does not say is damaged. */
async function unreachedPackages(
  { layout }: HostStore,
  { reached, report }: { reached: TreeRecord["packages"]; report: VerifyReport },
): Promise<TreeRecord["packages"]> {
  const known = new Set(reached.map(({ key }) => key));
  const found: TreeRecord["packages"] = [];
  for (const key of await listPackages(layout)) {
    if (known.has(key)) continue;
    const record = await readPackageRecord(layout, key);
    if (record) found.push({ key, name: record.name, version: record.version, integrity: record.integrity });
    else {
      report.problems.push({ kind: "record", subject: "a package of no tree", path: `packages/${key}/${recordName}` });
      report.damaged.packages.push(key);
    }
  }
  return found;
}

/** Leases every tree, so that no sweep takes away what is being looked at; answers the packages that they need. */
async function checkTrees(store: HostStore, report: VerifyReport, leases: Lease[]): Promise<TreeRecord["packages"]> {
  const { layout } = store;
  await checkCurrent(store, report);
  const needed = new Map<PackageKey, TreeRecord["packages"][number]>();
  for (const hash of await listTrees(layout)) {
    // On a store that cannot be written, no sweep runs.
    const lease = await undefinedOn(["EROFS"], leaseTree(store, hash, "verify"));
    if (lease) leases.push(lease);
    else if (!(await listTrees(layout)).includes(hash)) continue;
    const record = await readTreeRecord(layout, hash);
    const problems = await checkTree(layout, hash, record);
    for (const planned of record?.packages ?? []) needed.set(planned.key, planned);
    report.trees += 1;
    report.problems.push(...problems);
    if (problems.length > 0) report.damaged.trees.push(hash);
  }
  return [...needed.values()];
}

async function checkCurrent(store: HostStore, report: VerifyReport): Promise<void> {
  const lost = await lossOfCurrent(store);
  if (lost) report.problems.push({ kind: lost, subject: "link to the current tree", path: "current" });
  const hash = await currentHash(store);
  if (hash === undefined || (await listTrees(store.layout)).includes(hash)) return;
  report.problems.push({ kind: "missing", subject: `tree ${hash}`, path: `trees/${hash}` });
  report.damaged.trees.push(hash);
}
