import { access, lstat, readlink } from "node:fs/promises";
import { isLockfileHash, type LockfileHash } from "../contract/for-hosts.ts";
import { undefinedOn } from "../lib/index.ts";
import { describeDiskErrors } from "./disk-error.ts";
import type { HostStore } from "./host-store.ts";
import { treePath } from "./layout.ts";
import { type Flip, readFlips } from "./state.ts";

/** A complete tree on this host. */
export interface TreeRef {
  /** The highest generation that was flipped to this tree. */
  generation: number;
  lockfileHash: LockfileHash;
  /** The real path of `trees/<lockfileHash>`: holds `node_modules`. */
  path: string;
}

/** What `current` serves; `undefined` before the first reconcile, and when the tree was removed by hand, so that a reconcile makes it again. */
export async function currentTree(store: HostStore): Promise<TreeRef | undefined> {
  const lockfileHash = await currentHash(store);
  return lockfileHash === undefined ? undefined : treeRef(store, lockfileHash, await readFlips(store));
}

export async function currentHash({ layout }: HostStore): Promise<LockfileHash | undefined> {
  const target = await describeDiskErrors(layout.current, () => undefinedOn(["ENOENT", "EINVAL"], readlink(layout.current)));
  const hash = /^trees\/([0-9a-f]+)$/.exec(target ?? "")?.[1] ?? "";
  return isLockfileHash(hash) ? hash : undefined;
}

/**
 * How `current` fails to name a tree on a host that has served one. A first flip that was killed before its link is no loss: the next pass makes it.
 */
export async function lossOfCurrent(store: HostStore): Promise<"missing" | "changed" | undefined> {
  if ((await currentHash(store)) !== undefined) return undefined;
  if (await undefinedOn(["ENOENT"], lstat(store.layout.current))) return "changed";
  return (await readFlips(store)).length > 1 ? "missing" : undefined;
}

/** `undefined` unless the tree is there. */
export async function treeRef(store: HostStore, lockfileHash: LockfileHash, flips: Flip[]): Promise<TreeRef | undefined> {
  if (!(await hasTree(store, lockfileHash))) return undefined;
  const path = treePath(store.layout, lockfileHash);
  const generation = flips.findLast((flip) => flip.lockfileHash === lockfileHash)?.generation ?? 0;
  return { generation, lockfileHash, path };
}

export async function hasTree({ layout }: HostStore, lockfileHash: LockfileHash): Promise<boolean> {
  const found = access(treePath(layout, lockfileHash)).then(() => true);
  return (await undefinedOn(["ENOENT", "ENOTDIR"], found)) ?? false;
}
