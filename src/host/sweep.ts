import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { LockfileHash } from "../contract/for-hosts.ts";
import { failpoint, undefinedOn } from "../lib/index.ts";
import { currentHash } from "./current-tree.ts";
import { describeDiskErrors } from "./disk-error.ts";
import type { HostStore } from "./host-store.ts";
import { type PackageKey, packagePath, type StoreLayout, treePath } from "./layout.ts";
import { condemn, isSocketName, listLeases, pardon } from "./lease-files.ts";
import { listPackages, listTrees } from "./list-trees.ts";
import { planSweep } from "./plan-sweep.ts";
import { moveToTrash } from "./staging.ts";
import { readAccepted, readFlips } from "./state.ts";
import { createStoreSize } from "./store-size.ts";
import type { StoreWriter } from "./store-writer.ts";
import { type KnownTrees, treePackages } from "./tree-packages.ts";

export interface SweepOptions {
  /** Trees to keep besides the current, the previous, the accepted and the leased ones. */
  keep?: readonly LockfileHash[];
  /** Says what would go, and changes nothing. */
  dryRun?: boolean;
  /** Keeps a tree until it has been out of service for this long. Default 0. */
  graceMs?: number;
  /** Above it, trees go before their grace has passed, the longest out of service first; never one that is needed. */
  quotaBytes?: number;
}

export interface SweepSummary {
  trees: LockfileHash[];
  packages: PackageKey[];
  /** Directories of runs whose process died. */
  runs: string[];
  /** Of the packages that go, as recorded. */
  freedBytes: number;
  /** By how much what must stay is above the quota. */
  overQuotaBytes: number;
}

/**
 * Removes what nothing needs: trees, then the packages that no tree left reaches, directories of dead runs, dead leases, leftovers of killed builds.
 * Everything leaves by a rename into `trash/` first. Killed at any point, the next sweep does the rest.
 */
export function sweepStore(writer: StoreWriter, options: SweepOptions = {}): Promise<SweepSummary> {
  const { store, memory } = writer;
  return writer.exclusive(() => describeDiskErrors(store.layout.directory, () => sweep(store, options, memory.trees)));
}

/** What a sweep would do now. Needs no lock, and changes nothing. */
export const previewSweep = (store: HostStore, options: Omit<SweepOptions, "dryRun"> = {}): Promise<SweepSummary> =>
  describeDiskErrors(store.layout.directory, () => sweep(store, { ...options, dryRun: true }));

async function sweep(store: HostStore, options: SweepOptions, known: KnownTrees = new Map()): Promise<SweepSummary> {
  const { keep = [], dryRun = false, graceMs = 0, quotaBytes = Number.POSITIVE_INFINITY } = options;
  const { layout } = store;
  // Runs before leases: a run's lease is older than its directory, so every living run listed here has its lease listed too.
  const runs = await readdir(layout.runs);
  const trees = await listTrees(layout);
  const accepted = await readAccepted(store);
  const size = createStoreSize(layout);
  const { expired, inGrace } = planSweep({
    trees,
    flips: await readFlips(store),
    current: await currentHash(store),
    keep: new Set([...keep, ...(accepted ? [accepted.lockfileHash] : [])]),
    nowMs: store.clock.now(),
    graceMs,
  });
  const remove = (candidates: LockfileHash[]) => (dryRun ? withoutLeased(layout, candidates) : removeTrees(layout, candidates));
  const removed = await remove(expired);
  const left = () => trees.filter((tree) => !removed.includes(tree));
  const isOver = async () => quotaBytes !== Number.POSITIVE_INFINITY && (await size.ofTrees(left())) > quotaBytes;
  for (const tree of inGrace) if (await isOver()) removed.push(...(await remove([tree])));
  const overQuotaBytes = (await isOver()) ? (await size.ofTrees(left())) - quotaBytes : 0;
  for (const tree of removed) known.delete(tree);
  const packages = await unreachable(layout, left(), known);
  const freedBytes = await size.ofPackages(packages);
  const leases = await listLeases(layout);
  const living = new Set(leases.live.map((lease) => lease.id));
  const deadRuns = runs.filter((run) => !living.has(run));
  if (!dryRun) {
    for (const key of packages) await moveToTrash(layout, packagePath(layout, key));
    await failpoint("sweep:after-packages");
    for (const run of deadRuns) await moveToTrash(layout, join(layout.runs, run));
    for (const file of leases.dead) await removeDead(layout, file);
    for (const folder of [layout.incoming, layout.trash]) await empty(folder);
  }
  return { trees: removed, packages, runs: deadRuns, freedBytes, overQuotaBytes };
}

async function withoutLeased(layout: StoreLayout, trees: LockfileHash[]): Promise<LockfileHash[]> {
  const leased = new Set((await listLeases(layout)).live.map((lease) => lease.tree));
  return trees.filter((tree) => !leased.has(tree));
}

/** See `lease-files.ts` for why a mark comes before the look at leases. */
async function removeTrees(layout: StoreLayout, candidates: LockfileHash[]): Promise<LockfileHash[]> {
  for (const tree of candidates) await condemn(layout, tree);
  await failpoint("sweep:after-condemn");
  const removed = await withoutLeased(layout, candidates);
  for (const tree of removed) await moveToTrash(layout, treePath(layout, tree));
  await failpoint("sweep:after-trees");
  for (const tree of candidates) await pardon(layout, tree);
  return removed;
}

/** Nothing, when a tree that stays does not say what it needs. */
async function unreachable(layout: StoreLayout, trees: readonly LockfileHash[], known: KnownTrees): Promise<PackageKey[]> {
  const needed = new Set<PackageKey>();
  for (const tree of trees) {
    const packages = await treePackages(layout, tree, known);
    if (!packages) return [];
    for (const { key } of packages) needed.add(key);
  }
  return (await listPackages(layout)).filter((key) => !needed.has(key));
}

/** A socket appears a moment before it answers: a young one that is silent may be just that. */
const youngSocketMs = 60_000;

async function removeDead(layout: StoreLayout, file: string): Promise<void> {
  const path = join(layout.leases, file);
  if (isSocketName(file)) {
    const found = await undefinedOn(["ENOENT"], stat(path));
    if (found && Math.abs(Date.now() - found.mtimeMs) < youngSocketMs) return;
  }
  await rm(path, { force: true });
}

async function empty(folder: string): Promise<void> {
  for (const entry of await readdir(folder)) await rm(join(folder, entry), { recursive: true, force: true });
}
