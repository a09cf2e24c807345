import { readdirSync } from "node:fs";
import { errnoOf } from "../lib/index.ts";
import { type ProcessEntry, processIds, readOr, readProcess } from "./process-table.ts";
import { bearsMark, type RunMark } from "./run-mark.ts";

/** SIGKILL to every process of the group that `leader` started. */
export const killGroup = (leader: number): void => send(-leader, "SIGKILL");

export const signalGroup = (leader: number, signal: "SIGSTOP" | "SIGCONT"): void => send(-leader, signal);

/**
 * Ends the first process of the namespace that `leader` has made, and with it everything in there; `leader` then ends by itself, when nothing is
 * left. False: there is no such process yet.
 */
export function killNamespace(leader: number): boolean {
  const first = firstOfNamespace(leader);
  if (first === 0) return false;
  send(first, "SIGKILL");
  return true;
}

/** How many processes there are in the namespace that `leader` has made: its own `/proc` lists no others. */
export function countInNamespace(leader: number): number {
  try {
    return readdirSync(`/proc/${firstOfNamespace(leader)}/root/proc`).filter((name) => /^\d+$/.test(name)).length;
  } catch {
    // It is ending.
    return 0;
  }
}

const firstOfNamespace = (leader: number): number => Number(readOr(`/proc/${leader}/task/${leader}/children`).split(" ")[0]);

export interface Traces {
  /** A run's own `HOME`, in the environment that a process was started with. */
  runDirectory: string;
  mark: RunMark | undefined;
  fileMb: number;
  /** Who was seen before. */
  members: readonly ProcessEntry[];
  /** Only process ids from there on: where a run's descendants are, unless the ids have wrapped. */
  above: number;
}

const rounds = 20;

/**
 * Ends the processes that left a run's group, known by any of their traces. Stopped before they are killed, so that none of them can start
 * another one meanwhile; then looked for again. Linux only.
 */
export function killStragglers(traces: Traces): void {
  if (process.platform !== "linux") return;
  for (const { pid, startedAt } of traces.members) {
    if (readProcess(pid)?.startedAt === startedAt) send(pid, "SIGKILL");
  }
  const stopped = new Set<number>();
  for (let round = 0; round < rounds; round++) {
    const found = processIds().filter((pid) => pid > traces.above && !stopped.has(pid) && leftTrace(pid, traces));
    for (const pid of found) {
      send(pid, "SIGSTOP");
      stopped.add(pid);
    }
    if (found.length === 0) break;
  }
  for (const pid of stopped) send(pid, "SIGKILL");
}

function leftTrace(pid: number, { runDirectory, mark, fileMb }: Traces): boolean {
  if (pid === process.pid) return false;
  if (mark !== undefined && bearsMark(readOr(`/proc/${pid}/limits`), mark, fileMb)) return true;
  return `\0${readOr(`/proc/${pid}/environ`)}`.includes(`\0HOME=${runDirectory}\0`);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended, or has become somebody else's.
    if (errnoOf(error) !== "ESRCH" && errnoOf(error) !== "EPERM") throw error;
  }
}
