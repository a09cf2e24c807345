import type { LockfileHash, Progress } from "../contract/index.ts";
import { mapConcurrent } from "../lib/index.ts";
import { currentHash } from "./current-tree.ts";
import { describeDiskErrors } from "./disk-error.ts";
import type { HostStore } from "./host-store.ts";
import type { PackageKey } from "./layout.ts";
import { listTrees } from "./list-trees.ts";
import { readTreeRecord, type TreeRecord } from "./record.ts";
import { checkPackage } from "./verify-package.ts";
import { checkTree } from "./verify-tree.ts";

export interface Damage {
  kind: "missing" | "extra" | "changed" | "record";
  /** `name@version`, or `tree <hash>`. */
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

/**
 * Compares every file and link of every tree here, and of all packages they reach, with what was recorded when it was unpacked: content, kind,
 * mode, nothing missing, nothing added. Changes nothing. A package that no tree reaches is a leftover, and not looked at.
 */
export async function verifyStore(
  store: HostStore,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (progress: Progress) => void } = {},
): Promise<VerifyReport> {
  const { layout } = store;
  return describeDiskErrors(layout.directory, async () => {
    const report: VerifyReport = {
      intact: true,
      problems: [],
      trees: 0,
      packages: 0,
      files: 0,
      bytes: 0,
      damaged: { packages: [], trees: [] },
    };
    await checkCurrent(store, report);
    const needed = new Map<PackageKey, TreeRecord["packages"][number]>();
    for (const hash of await listTrees(layout)) {
      const record = await readTreeRecord(layout, hash);
      const problems = await checkTree(layout, hash, record);
      // A tree that went while this was looking was swept, not damaged.
      if (problems.length > 0 && !(await listTrees(layout)).includes(hash)) continue;
      for (const planned of record?.packages ?? []) needed.set(planned.key, planned);
      report.trees += 1;
      report.problems.push(...problems);
      if (problems.length > 0) report.damaged.trees.push(hash);
    }
    const planned = [...needed.values()];
    await mapConcurrent(planned, { limit: concurrency, ...(signal ? { signal } : {}) }, async (one) => {
      const found = await checkPackage(layout, one);
      report.packages += 1;
      report.files += found.files;
      report.bytes += found.bytes;
      report.problems.push(...found.problems);
      if (found.problems.length > 0) report.damaged.packages.push(one.key);
      onProgress?.({ phase: "verify", done: report.packages, total: planned.length, doneBytes: report.bytes });
    });
    report.intact = report.problems.length === 0;
    return report;
  });
}

async function checkCurrent(store: HostStore, report: VerifyReport): Promise<void> {
  const hash = await currentHash(store);
  if (hash === undefined || (await listTrees(store.layout)).includes(hash)) return;
  report.problems.push({ kind: "missing", subject: `tree ${hash}`, path: `trees/${hash}` });
  report.damaged.trees.push(hash);
}
