import { readdirSync, readFileSync } from "node:fs";

/** One process of the machine (Linux). */
export interface ProcessEntry {
  pid: number;
  parent: number;
  group: number;
  session: number;
  /** Processor time, its own and that of children it has waited for. */
  cpuMs: number;
  /** With `pid` it names one process for ever. */
  startedAt: string;
  zombie: boolean;
}

/** The kernel's unit in `/proc/<pid>/stat`: 100 to the second on every platform that Node and Bun run on. */
const tickMs = 10;
const pageBytes = 4096;

/** Read at once and not through the thread pool: some microseconds each, and a table in which nothing moved meanwhile. `giveUp` is asked now and then. */
export function readProcesses(giveUp?: () => boolean): ProcessEntry[] | undefined {
  const table: ProcessEntry[] = [];
  let askAt = performance.now() + askEveryMs;
  for (const pid of processIds()) {
    const entry = readProcess(pid);
    if (entry) table.push(entry);
    if (giveUp === undefined || performance.now() < askAt) continue;
    if (giveUp()) return undefined;
    askAt = performance.now() + askEveryMs;
  }
  return table;
}

const askEveryMs = 10;

/** Of all processes of the machine, in one read that stays quick however many there are; 0 where the system does not say. */
export const countThreads = (): number => Number(/\/(\d+) /.exec(readOr("/proc/loadavg"))?.[1] ?? 0);

export const processIds = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

export function readProcess(pid: number): ProcessEntry | undefined {
  const text = readOr(`/proc/${pid}/stat`);
  // The name, in brackets, may hold anything, brackets too.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, parent, group, session] = fields;
  if (session === undefined) return undefined;
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0);
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    cpuMs: ticks * tickMs,
    startedAt: fields[19] ?? "",
    zombie: state === "Z" || state === "X",
  };
}

/** Resident, without what it shares with files and other processes. */
export function ownMemoryBytes(pid: number): number {
  const [, resident = 0, shared = 0] = readOr(`/proc/${pid}/statm`).split(" ").map(Number);
  return Math.max(0, resident - shared) * pageBytes;
}

export function readOr(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // It has ended meanwhile, or is another user's.
    return "";
  }
}
