import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import type { RunLimits } from "../contract/for-hosts.ts";
import { sleep } from "../lib/index.ts";
import { type Cell, isOver } from "./cell.ts";
import { guardLimits, type StopReason } from "./guard-limits.ts";
import { countInNamespace, killGroup, killNamespace, killStragglers } from "./kill-processes.ts";
import { createOutputCapture, type OutputCapture } from "./output-capture.ts";
import type { RunMark } from "./run-mark.ts";
import type { UsageSampler } from "./usage-sampler.ts";

export type OutputListener = (stream: "stdout" | "stderr", text: string) => void;

export interface ChildOptions {
  mark: RunMark | undefined;
  limits: RunLimits;
  sampler: UsageSampler;
  signal?: AbortSignal | undefined;
  onOutput?: OutputListener | undefined;
}

export interface ChildEnd {
  /** As a shell says it: above 128 it may stand for a signal. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** Why we killed it, if we did. */
  stopped?: StopReason;
  stdout: string;
  stderr: string;
  outputTruncated: boolean;
  durationMs: number;
}

/** How long output may trickle in after the process has ended: a descendant that escaped may hold the pipe open. */
const drainMs = 250;
/** How long a namespace may take to end. */
const endMs = 2000;

/** Lets the cell's shell go on, and returns when nothing of what it became is left running. */
export async function runInCell(cell: Cell, options: ChildOptions): Promise<ChildEnd> {
  const { child } = cell;
  const { limits, onOutput } = options;
  const startedAt = performance.now();
  const capturing = (name: "stdout" | "stderr") =>
    capture(
      child[name],
      createOutputCapture(limits.outputBytes, (text) => onOutput?.(name, text)),
    );
  const streams = [capturing("stdout"), capturing("stderr")] as const;
  const exited = exitOf(child);
  child.stdin?.end("\n");
  const hold = holdChild(cell, options);
  try {
    const { exitCode, signal } = await exited;
    hold.guard.end();
    const durationMs = performance.now() - startedAt;
    // Refused a process, a runtime may well crash.
    if (cell.cgroup?.count() === Number.POSITIVE_INFINITY) hold.guard.reason ??= "processes";
    hold.clear(exitCode === null);
    await drained(streams);
    const [stdout, stderr] = [streams[0].finish(), streams[1].finish()];
    return {
      ...bySignal(exitCode, signal),
      ...(hold.guard.reason === undefined ? {} : { stopped: hold.guard.reason }),
      stdout: stdout.text,
      stderr: stderr.text,
      outputTruncated: stdout.truncated || stderr.truncated,
      durationMs,
    };
  } finally {
    hold.guard.end();
  }
}

/** Watches over a child's limits, and ends what it leaves behind. */
function holdChild({ child, leader, hold, cgroup, directory }: Cell, { mark, limits, sampler, signal }: ChildOptions) {
  const stop = () => {
    if (isOver(child)) return;
    cgroup?.kill();
    if (hold.holding !== "namespace" || !killNamespace(leader)) return killGroup(leader);
    setTimeout(() => isOver(child) || killGroup(leader), endMs).unref();
  };
  const count = cgroup?.count ?? (hold.holding === "namespace" ? () => countInNamespace(leader) : undefined);
  const guard = guardLimits({ leader, count, directory: directory.path, limits, sampler, signal, stop });
  return {
    guard,
    clear(killed: boolean) {
      killGroup(leader);
      cgroup?.kill();
      if (hold.holding === "namespace") return;
      killStragglers({
        runDirectory: directory.path,
        mark,
        fileMb: limits.fileMb,
        members: guard.members(),
        above: killed || guard.members().length > 0 ? 0 : leader,
      });
    },
  };
}

/** Of a signal's names the first: SIGABRT, not SIGIOT. */
const signalNames = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name as NodeJS.Signals]),
);

/** The shell in between says a signal as an exit code. */
function bySignal(exitCode: number | null, signal: NodeJS.Signals | null): Pick<ChildEnd, "exitCode" | "signal"> {
  const named = exitCode !== null && exitCode > 128 ? signalNames.get(exitCode - 128) : undefined;
  return { exitCode, signal: signal ?? named ?? null };
}

interface Captured {
  ended: Promise<void>;
  finish: OutputCapture["finish"];
}

function capture(stream: ChildProcess["stdout"], into: OutputCapture): Captured {
  if (stream === null) throw new Error("the child has no pipe");
  stream.on("data", (chunk: Uint8Array) => into.push(chunk));
  const ended = new Promise<void>((resolve) => {
    stream.once("close", resolve);
    stream.once("error", () => resolve());
  });
  return {
    ended,
    finish: () => {
      stream.destroy();
      return into.finish();
    },
  };
}

async function drained(streams: readonly Captured[]): Promise<void> {
  const late = new AbortController();
  await Promise.race([Promise.all(streams.map((stream) => stream.ended)), sleep(drainMs, late.signal).catch(() => undefined)]);
  late.abort();
}

async function exitOf(child: ChildProcess): Promise<Pick<ChildEnd, "exitCode" | "signal">> {
  if (!isOver(child)) await once(child, "exit");
  const { exitCode, signalCode } = child;
  return { exitCode: signalCode === null ? exitCode : null, signal: signalCode };
}
