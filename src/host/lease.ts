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
    for (;;) {
      const wanted = generation === undefined ? await currentHash(store) : await hashOfGeneration(store, generation);
      if (wanted === undefined) return undefined;
      const lease = await tryLease(store, { wanted, generation, purpose });
      if (lease) return lease;
      // The current tree is never condemned: it has moved on, or is gone for good.
      if (generation !== undefined || (await currentHash(store)) === wanted) return undefined;
    }
  });
}

async function tryLease(
  store: HostStore,
  { wanted, generation, purpose }: { wanted: LockfileHash; generation: number | undefined; purpose: string },
): Promise<Lease | undefined> {
  const { layout } = store;
  const file = await writeLeaseFile(layout, await store.liveness(), { tree: wanted, purpose });
  const release = () => removeLeaseFile(layout, file);
  try {
    const tree = (await isCondemned(layout, wanted)) ? undefined : await treeRef(store, wanted, await readFlips(store));
    if (tree)
      return { id: file.id, tree: generation === undefined ? tree : { ...tree, generation }, [Symbol.asyncDispose]: release };
  } catch (error) {
    await release();
    throw error;
  }
  await release();
  return undefined;
}

async function hashOfGeneration(store: HostStore, generation: number): Promise<LockfileHash | undefined> {
  return (await readFlips(store)).findLast((flip) => flip.generation === generation)?.lockfileHash;
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
