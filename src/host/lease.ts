import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { LarderError, type LockfileHash } from "../contract/for-hosts.ts";
import { errnoOf } from "../lib/index.ts";
import { currentHash, type TreeRef, treeRef } from "./current-tree.ts";
import { describeDiskErrors } from "./disk-error.ts";
import type { HostStore } from "./host-store.ts";
import { isFrozen } from "./is-frozen.ts";
import { isCondemned, type LeaseFile, listLeases, removeLeaseFile, writeLeaseFile } from "./lease-files.ts";
import { isSettled } from "./settle.ts";
import { readFlips } from "./state.ts";
import { verifyTree } from "./verify-tree.ts";

/** A hold on a tree: no sweep removes it, or a package that it reaches, until this is disposed or the process ends. */
export interface Lease extends AsyncDisposable {
  readonly id: string;
  readonly tree: TreeRef;
}

/**
 * A lease on the current tree, or on the tree of `generation` if it is still there. `undefined`: there is no such tree. After a start of the machine
 * the tree is looked at first, once, unless a reconcile has done that; `E_TREE_DAMAGED` when it is not what was recorded.
 */
export async function acquireLease(
  store: HostStore,
  { purpose, generation }: { purpose: string; generation?: number },
): Promise<Lease | undefined> {
  return describeDiskErrors(store.layout.leases, async () => {
    if (generation !== undefined) {
      const wanted = (await readFlips(store)).findLast((flip) => flip.generation === generation)?.lockfileHash;
      const lease = wanted && (await leaseTree(store, wanted, purpose));
      if (!lease) return undefined;
      await assertTrusted(store, lease);
      return { ...lease, tree: { ...lease.tree, generation } };
    }
    // The current tree is never condemned: a refusal means that it has moved on, or that it was removed by hand.
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const wanted = await currentHash(store);
      const lease = wanted && (await leaseTree(store, wanted, purpose));
      if (lease) await assertTrusted(store, lease);
      if (lease || wanted === undefined) return lease;
    }
    return undefined;
  });
}

const maxAttempts = 20;

async function assertTrusted(store: HostStore, lease: Lease): Promise<void> {
  try {
    if (await isSettled(store.layout)) return;
    const { lockfileHash } = lease.tree;
    const checking = store.checkedTrees.get(lockfileHash) ?? verifyTree(store, lockfileHash);
    store.checkedTrees.set(lockfileHash, checking);
    const [first, ...others] = await checking;
    if (first === undefined) return;
    store.checkedTrees.delete(lockfileHash);
    throw new LarderError(
      "E_TREE_DAMAGED",
      `The tree of generation ${lease.tree.generation} is damaged: ${first.subject}, ${first.path}.`,
      {
        hint: "This host's agent makes it anew as soon as it reaches its control plane; or run: larder verify --repair",
        retryable: true,
        details: { problems: 1 + others.length, path: first.path },
      },
    );
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    throw error;
  }
}

/** `undefined`: the tree is not there, or a sweep is about to remove it. */
export async function leaseTree(store: HostStore, lockfileHash: LockfileHash, purpose: string): Promise<Lease | undefined> {
  const { layout } = store;
  const file = await leaseFile(store, { tree: lockfileHash, purpose });
  const release = async () => {
    if (file) await removeLeaseFile(layout, file);
  };
  try {
    const [condemned, flips] = await Promise.all([isCondemned(layout, lockfileHash), readFlips(store)]);
    const tree = condemned ? undefined : await treeRef(store, lockfileHash, flips);
    if (tree) return { id: file?.id ?? randomBytes(12).toString("hex"), tree, [Symbol.asyncDispose]: release };
  } catch (error) {
    await release();
    throw error;
  }
  await release();
  return undefined;
}

/** `undefined`: nobody can write to this file system, so that no sweep needs to be told. Scripts go on running there. */
async function leaseFile(
  { layout, liveness }: HostStore,
  of: { tree: LockfileHash | undefined; purpose: string },
): Promise<LeaseFile | undefined> {
  try {
    return await writeLeaseFile(layout, await liveness(), of);
  } catch (error) {
    if (errnoOf(error) === "EROFS" && (await isFrozen(layout.directory))) return undefined;
    throw error;
  }
}

/**
 * `runs/<id>`, there until it is disposed; a sweep removes it when the process has died. Needs no tree. On a file system that nobody can write to it
 * is in the system's temporary directory instead.
 */
export interface RunDirectory extends AsyncDisposable {
  readonly id: string;
  readonly path: string;
  /** What was opened idle counts as a run from now on. */
  occupy(): void;
}

const idleName = ".larder.idle";

/** `idle`: for a run that is still to come. */
export async function openRunDirectory(
  store: HostStore,
  { purpose, idle = false }: { purpose: string; idle?: boolean },
): Promise<RunDirectory> {
  const { layout } = store;
  return describeDiskErrors(layout.runs, async () => {
    // The lease comes first: a sweep lists directories before leases, so that it never meets a living run without one.
    const file = await leaseFile(store, { tree: undefined, purpose });
    if (file === undefined) return temporaryRunDirectory();
    const path = join(layout.runs, file.id);
    const close = async () => {
      await rm(path, { recursive: true, force: true });
      await removeLeaseFile(layout, file);
    };
    try {
      await mkdir(path, { mode: 0o700 });
      if (idle) await writeFile(join(path, idleName), "");
    } catch (error) {
      await close();
      throw error;
    }
    return { id: file.id, path, occupy: () => rmSync(join(path, idleName), { force: true }), [Symbol.asyncDispose]: close };
  });
}

async function temporaryRunDirectory(): Promise<RunDirectory> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "larder-run-")));
  return { id: basename(path), path, occupy() {}, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Runs under way, of all processes. */
export async function countRuns(store: HostStore): Promise<number> {
  const { live } = await listLeases(store.layout);
  return live.filter(({ tree, id }) => tree === undefined && !existsSync(join(store.layout.runs, id, idleName))).length;
}
