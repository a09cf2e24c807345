import { mkdir, readdir, readFile, readlink, rm, symlink } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { errnoOf, undefinedOn } from "./errno.ts";
import { isAlive, openLiveness } from "./liveness.ts";

export interface LockHolder {
  pid: number;
  hostname: string;
  purpose: string;
  /** RFC 3339. */
  since: string;
}

export type LockAttempt = { kind: "acquired"; lock: AsyncDisposable } | { kind: "held"; by: LockHolder };

interface Ticket extends LockHolder {
  socket: string;
}

/**
 * An exclusive lock that dies with its holder and is never stolen by age. Tickets `lock.1`, `lock.2`, … are symbolic links whose text says who
 * holds them: one call makes one whole, and one process wins. Ticket n + 1 is made only when the holder of n is seen dead, and death is final,
 * so two holders cannot be. The highest ticket stays behind after a release: it is what keeps a slow contender from starting again at 1.
 */
export async function acquireDirectoryLock(directory: string, { purpose }: { purpose: string }): Promise<LockAttempt> {
  const folder = join(directory, ".lock");
  await mkdir(folder, { recursive: true });
  for (;;) {
    const highest = Math.max(0, ...(await ticketNumbers(folder)));
    if (highest > 0) {
      const ticket = await readTicket(folder, highest);
      if (ticket === undefined) continue;
      if (await isAlive(folder, ticket.socket)) return { kind: "held", by: ticket };
    }
    const lock = await takeTicket(folder, highest + 1, purpose);
    if (lock) return { kind: "acquired", lock };
  }
}

async function takeTicket(folder: string, number: number, purpose: string): Promise<AsyncDisposable | undefined> {
  const liveness = await openLiveness(folder);
  const ticket: Ticket = {
    pid: process.pid,
    hostname: hostname(),
    purpose,
    since: new Date().toISOString(),
    socket: liveness.name,
  };
  try {
    await symlink(JSON.stringify(ticket), ticketPath(folder, number));
  } catch (error) {
    await liveness[Symbol.asyncDispose]();
    if (errnoOf(error) === "EEXIST") return undefined;
    throw error;
  }
  const others = await ticketNumbers(folder);
  if (others.some((other) => other > number)) {
    await rm(ticketPath(folder, number), { force: true });
    await liveness[Symbol.asyncDispose]();
    return undefined;
  }
  await removeLeftovers(folder, number, liveness.name);
  return liveness;
}

/** Older tickets, and the sockets of processes that were killed. */
async function removeLeftovers(folder: string, number: number, ownSocket: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    const stale = entry.startsWith("lock.")
      ? Number(entry.slice(5)) < number
      : entry !== ownSocket && entry.endsWith(".sock") && !(await isAlive(folder, entry));
    if (stale) await rm(join(folder, entry), { force: true });
  }
}

const ticketPath = (folder: string, number: number): string => join(folder, `lock.${number}`);

async function ticketNumbers(folder: string): Promise<number[]> {
  const entries = await readdir(folder);
  return entries.filter((entry) => /^lock\.\d+$/.test(entry)).map((entry) => Number(entry.slice(5)));
}

/** `undefined`: it was replaced between listing and reading. */
async function readTicket(folder: string, number: number): Promise<Ticket | undefined> {
  const path = ticketPath(folder, number);
  const text = await undefinedOn(
    ["ENOENT"],
    readlink(path).catch((error) => readPlainTicket(path, error)),
  );
  return text === undefined ? undefined : (JSON.parse(text) as Ticket);
}

/** A ticket that is a file, of a version that made them so. */
async function readPlainTicket(path: string, error: unknown): Promise<string> {
  if (errnoOf(error) !== "EINVAL") throw error;
  return readFile(path, "utf8");
}
