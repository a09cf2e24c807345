import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { LarderError, type RunLimits } from "../contract/index.ts";
import { sleep } from "../lib/index.ts";
import { guardLimits, type StopReason } from "./guard-limits.ts";
import { killGroup, killNamespace, killStragglers } from "./kill-processes.ts";
import type { Holding, Launch } from "./launch.ts";
import { createOutputCapture, type OutputCapture } from "./output-capture.ts";
import type { RunMark } from "./run-mark.ts";
import type { UsageSampler } from "./usage-sampler.ts";

export type OutputListener = (stream: "stdout" | "stderr", text: string) => void;

export interface ChildOptions {
  launch: Launch;
  holding: Holding;
  mark: RunMark | undefined;
  /** Its working directory. */
  directory: string;
  env: Record<string, string>;
  /** An open file that it gets as descriptor 3. */
  report: number;
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

/** Starts a process group and returns when nothing of it is left running. Throws `E_CONFIG` when it cannot be started. */
export async function runChild(options: ChildOptions): Promise<ChildEnd> {
  const { launch, directory, limits, onOutput } = options;
  const startedAt = performance.now();
  const child = spawn(launch.path, launch.args, {
    cwd: directory,
    env: options.env,
    stdio: ["ignore", "pipe", "pipe", options.report],
    detached: true,
  });
  const capturing = (name: "stdout" | "stderr") =>
    capture(
      child[name],
      createOutputCapture(limits.outputBytes, (text) => onOutput?.(name, text)),
    );
  const streams = [capturing("stdout"), capturing("stderr")] as const;
  const exited = exitOf(child, launch.path);
  const hold = holdChild(child, options);
  try {
    const { exitCode, signal } = await exited;
    hold.guard?.end();
    const durationMs = performance.now() - startedAt;
    hold.clear(exitCode === null);
    await drained(streams);
    const [stdout, stderr] = [streams[0].finish(), streams[1].finish()];
    return {
      ...bySignal(exitCode, signal),
      ...(hold.guard?.reason === undefined ? {} : { stopped: hold.guard.reason }),
      stdout: stdout.text,
      stderr: stderr.text,
      outputTruncated: stdout.truncated || stderr.truncated,
      durationMs,
    };
  } finally {
    hold.guard?.end();
  }
}

/** Watches over a child's limits, and ends what it leaves behind. */
function holdChild(child: ChildProcess, { holding, mark, directory, limits, sampler, signal }: ChildOptions) {
  const { pid: leader } = child;
  if (leader === undefined) return { guard: undefined, clear() {} };
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const stop = () => {
    if (!isRunning()) return;
    if (holding !== "namespace" || !killNamespace(leader)) return killGroup(leader);
    setTimeout(() => isRunning() && killGroup(leader), endMs).unref();
  };
  const guard = guardLimits({ leader, directory, limits, sampler, signal, stop });
  return {
    guard,
    clear(killed: boolean) {
      killGroup(leader);
      if (holding === "namespace") return;
      killStragglers({
        runDirectory: directory,
        mark,
        fileMb: limits.fileMb,
        members: guard.members(),
        above: killed || guard.members().length > 0 ? 0 : leader,
      });
    },
  };
}

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]));

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

function exitOf(child: ChildProcess, path: string): Promise<Pick<ChildEnd, "exitCode" | "signal">> {
  return new Promise((resolve, reject) => {
    child.once("exit", (exitCode, signal) => resolve({ exitCode: signal === null ? exitCode : null, signal }));
    child.once("error", (cause) =>
      reject(
        new LarderError("E_CONFIG", `Runs cannot be started with ${path}: ${cause.message}`, {
          hint: "Check that the file is there and executable, and that the machine has processes and memory left.",
          cause,
        }),
      ),
    );
  });
}
