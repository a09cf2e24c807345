import { randomBytes } from "node:crypto";
import { access, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isLockfileHash, type LockfileHash } from "../contract/for-hosts.ts";
import { errnoOf, isAlive, type Liveness } from "../lib/index.ts";
import type { StoreLayout } from "./layout.ts";

/**
 * A lease is a file whose name says it all, so that creating it is one atomic step: `<tree>.<id>.<socket>`, `none` for a run without a tree.
 * It counts as long as its process answers on the socket.
 *
 * Against a sweep: a lease is written first and then the tree's `.condemned` mark is looked for; a sweep writes the mark first and then looks
 * for leases. Whatever the order of the four, at least one side sees the other and gives way.
 */
export interface LeaseFile {
  tree: LockfileHash | undefined;
  id: string;
  socket: string;
  file: string;
}

export async function writeLeaseFile(
  layout: StoreLayout,
  liveness: Liveness,
  { tree, purpose }: { tree: LockfileHash | undefined; purpose: string },
): Promise<LeaseFile> {
  const id = randomBytes(12).toString("hex");
  const file = `${tree ?? "none"}.${id}.${liveness.name}`;
  const path = join(layout.leases, file);
  // For people.
  const about = JSON.stringify({ purpose, pid: process.pid });
  await writeFile(path, about, { flag: "wx" }).catch(async (error: unknown) => {
    // A full disk has room for a name, and scripts go on.
    const isFull = ["ENOSPC", "EDQUOT"].includes(errnoOf(error) ?? "");
    if (!isFull || !(await exists(path))) throw error;
  });
  return { tree, id, socket: liveness.name, file };
}

/** On a disk that refuses, the lease lasts as long as its process: too long is safe. */
export const removeLeaseFile = (layout: StoreLayout, lease: LeaseFile): Promise<void> =>
  rm(join(layout.leases, lease.file), { force: true }).catch(() => {});

/** The leases of living processes, and the files that dead ones left. */
export async function listLeases(layout: StoreLayout): Promise<{ live: LeaseFile[]; dead: string[] }> {
  const entries = await readdir(layout.leases);
  const leases = entries.map(parseLeaseFile).filter((lease) => lease !== undefined);
  const sockets = new Set([...leases.map((lease) => lease.socket), ...entries.filter(isSocketName)]);
  const alive = new Map<string, boolean>();
  for (const socket of sockets) alive.set(socket, await isAlive(layout.leases, socket));
  const deadSockets = [...sockets].filter((socket) => !alive.get(socket) && entries.includes(socket));
  return {
    live: leases.filter((lease) => alive.get(lease.socket)),
    dead: [...leases.filter((lease) => !alive.get(lease.socket)).map((lease) => lease.file), ...deadSockets],
  };
}

export const isSocketName = (entry: string): boolean => /^\d+-[0-9a-f]+\.sock$/.test(entry);

function parseLeaseFile(file: string): LeaseFile | undefined {
  const [tree = "", id, ...socket] = file.split(".");
  if (id === undefined || socket.length !== 2 || !(tree === "none" || isLockfileHash(tree))) return undefined;
  return { tree: isLockfileHash(tree) ? tree : undefined, id, socket: socket.join("."), file };
}

const condemnedSuffix = ".condemned";
const condemnedPath = (layout: StoreLayout, tree: LockfileHash): string => join(layout.leases, `${tree}${condemnedSuffix}`);

export const condemn = (layout: StoreLayout, tree: LockfileHash): Promise<void> => writeFile(condemnedPath(layout, tree), "");
export const pardon = (layout: StoreLayout, tree: LockfileHash): Promise<void> =>
  rm(condemnedPath(layout, tree), { force: true });

export const isCondemned = (layout: StoreLayout, tree: LockfileHash): Promise<boolean> => exists(condemnedPath(layout, tree));

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Removes the marks of a sweep that was killed. Only for the store's writer. */
export async function forgetCondemned(layout: StoreLayout): Promise<void> {
  for (const entry of await readdir(layout.leases)) {
    if (entry.endsWith(condemnedSuffix)) await rm(join(layout.leases, entry), { force: true });
  }
}
