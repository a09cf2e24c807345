import { randomBytes } from "node:crypto";
import { link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
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
 * An exclusive lock that dies with its holder and is never stolen by age. Tickets `lock.1`, `lock.2`, … are made by `link`, which one process wins;
 * ticket n + 1 is made only when the holder of n is seen dead, and death is final, so two holders cannot be. The highest ticket stays behind
 * after a release: it is what keeps a slow contender from starting again at 1.
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
  const temporary = join(folder, `.${randomBytes(6).toString("hex")}.tmp`);
  try {
    await writeFile(temporary, JSON.stringify(ticket));
    await link(temporary, ticketPath(folder, number));
  } catch (error) {
    await liveness[Symbol.asyncDispose]();
    if (errnoOf(error) === "EEXIST") return undefined;
    throw error;
  } finally {
    await rm(temporary, { force: true });
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

/** Older tickets, and the sockets and drafts of processes that were killed. */
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
  const text = await undefinedOn(["ENOENT"], readFile(ticketPath(folder, number), "utf8"));
  return text === undefined ? undefined : (JSON.parse(text) as Ticket);
}
