import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { LockfileHash } from "../contract/index.ts";
import { currentHash, type TreeRef, treeRef } from "./current-tree.ts";
import { describeDiskErrors } from "./disk-error.ts";
import type { HostStore } from "./host-store.ts";
import { isCondemned, listLeases, removeLeaseFile, writeLeaseFile } from "./lease-files.ts";
import { readFlips } from "./state.ts";

/** A hold on a tree: no sweep removes it, or a package that it reaches, until this is disposed or the process ends. */
export interface Lease extends AsyncDisposable {
  readonly id: string;
  readonly tree: TreeRef;
}

/**
 * A lease on the current tree, or on the tree of `generation` if it is still there. `undefined`: there is no such tree.
 */
export async function acquireLease(
  store: HostStore,
  { purpose, generation }: { purpose: string; generation?: number },
): Promise<Lease | undefined> {
  return describeDiskErrors(store.layout.leases, async () => {
    if (generation !== undefined) {
      const wanted = (await readFlips(store)).findLast((flip) => flip.generation === generation)?.lockfileHash;
      const lease = wanted && (await leaseTree(store, wanted, purpose));
      return lease ? { ...lease, tree: { ...lease.tree, generation } } : undefined;
    }
    // The current tree is never condemned: a refusal means that it has moved on, or that it was removed by hand.
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const wanted = await currentHash(store);
      const lease = wanted && (await leaseTree(store, wanted, purpose));
      if (lease || wanted === undefined) return lease;
    }
    return undefined;
  });
}

const maxAttempts = 20;

/** `undefined`: the tree is not there, or a sweep is about to remove it. */
export async function leaseTree(store: HostStore, lockfileHash: LockfileHash, purpose: string): Promise<Lease | undefined> {
  const { layout } = store;
  const file = await writeLeaseFile(layout, await store.liveness(), { tree: lockfileHash, purpose });
  const release = () => removeLeaseFile(layout, file);
  try {
    const condemned = await isCondemned(layout, lockfileHash);
    const tree = condemned ? undefined : await treeRef(store, lockfileHash, await readFlips(store));
    if (tree) return { id: file.id, tree, [Symbol.asyncDispose]: release };
  } catch (error) {
    await release();
    throw error;
  }
  await release();
  return undefined;
}

/** `runs/<id>`, there until it is disposed; a sweep removes it when the process has died. Needs no tree. */
export interface RunDirectory extends AsyncDisposable {
  readonly id: string;
  readonly path: string;
}

export async function openRunDirectory(store: HostStore, { purpose }: { purpose: string }): Promise<RunDirectory> {
  const { layout } = store;
  return describeDiskErrors(layout.runs, async () => {
    // The lease comes first: a sweep lists directories before leases, so that it never meets a living run without one.
    const file = await writeLeaseFile(layout, await store.liveness(), { tree: undefined, purpose });
    const path = join(layout.runs, file.id);
    const close = async () => {
      await rm(path, { recursive: true, force: true });
      await removeLeaseFile(layout, file);
    };
    try {
      await mkdir(path, { mode: 0o755 });
    } catch (error) {
      await close();
      throw error;
    }
    return { id: file.id, path, [Symbol.asyncDispose]: close };
  });
}

/** Runs under way, of all processes. */
export async function countRuns(store: HostStore): Promise<number> {
  const { live } = await listLeases(store.layout);
  return live.filter((lease) => lease.tree === undefined).length;
}
