import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { LarderError } from "../contract/index.ts";
import { sleep } from "../lib/index.ts";
import type { BunExecutable } from "./find-bun.ts";
import { killGroup, killStragglers } from "./kill-processes.ts";
import { createOutputCapture, type OutputCapture } from "./output-capture.ts";

export type OutputListener = (stream: "stdout" | "stderr", text: string) => void;

export interface ChildLimits {
  timeoutMs: number;
  /** Of each stream. */
  outputBytes: number;
  /** Resident memory of the script's process, sampled; Linux only. */
  memoryMb?: number | undefined;
}

export interface ChildOptions {
  bun: BunExecutable;
  /** Its working directory. */
  directory: string;
  args: string[];
  env: Record<string, string>;
  /** An open file that it gets as descriptor 3. */
  report: number;
  limits: ChildLimits;
  signal?: AbortSignal | undefined;
  onOutput?: OutputListener | undefined;
}

export interface ChildEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** Why we killed it, if we did. */
  stopped?: "timeout" | "memory" | "cancelled";
  stdout: string;
  stderr: string;
  outputTruncated: boolean;
  durationMs: number;
}

/** How long output may trickle in after the process has ended: a descendant that escaped may hold the pipe open. */
const drainMs = 250;

/** Starts Bun in a process group of its own and returns when nothing of it is left running. Throws `E_CONFIG` when it cannot be started. */
export async function runChild(options: ChildOptions): Promise<ChildEnd> {
  const { bun, directory, limits, signal, onOutput } = options;
  const startedAt = performance.now();
  const child = spawn(bun.path, options.args, {
    cwd: directory,
    env: { ...options.env, ...bun.env },
    stdio: ["ignore", "pipe", "pipe", options.report],
    detached: true,
  });
  const streams = [
    capture(
      child.stdout,
      createOutputCapture(limits.outputBytes, (text) => onOutput?.("stdout", text)),
    ),
    capture(
      child.stderr,
      createOutputCapture(limits.outputBytes, (text) => onOutput?.("stderr", text)),
    ),
  ] as const;
  const guard = guardLimits(child, limits, signal);
  try {
    const { exitCode, signal: endedBy } = await exitOf(child, bun.path);
    guard.end();
    const durationMs = performance.now() - startedAt;
    if (child.pid !== undefined) {
      killGroup(child.pid);
      await killStragglers(directory, exitCode === null ? {} : { above: child.pid });
    }
    await drained(streams);
    const [stdout, stderr] = [streams[0].finish(), streams[1].finish()];
    return {
      exitCode,
      signal: endedBy,
      ...(guard.stopped === undefined ? {} : { stopped: guard.stopped }),
      stdout: stdout.text,
      stderr: stderr.text,
      outputTruncated: stdout.truncated || stderr.truncated,
      durationMs,
    };
  } finally {
    guard.end();
  }
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

function exitOf(child: ChildProcess, path: string): Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once("exit", (exitCode, signal) => resolve({ exitCode: signal === null ? exitCode : null, signal }));
    child.once("error", (cause) =>
      reject(
        new LarderError("E_CONFIG", `Bun cannot be started from ${path}: ${cause.message}`, {
          hint: "Check that the file is there and executable, and that the machine has processes and memory left.",
          cause,
        }),
      ),
    );
  });
}

interface Guard {
  stopped: ChildEnd["stopped"];
  end(): void;
}

/** Kills the child's group at the first limit it meets, and says which. */
function guardLimits(child: ChildProcess, limits: ChildLimits, signal: AbortSignal | undefined): Guard {
  const { pid } = child;
  const stop = (reason: ChildEnd["stopped"]) => {
    if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    guard.stopped ??= reason;
    killGroup(pid);
  };
  const cancel = () => stop("cancelled");
  const timer = setTimeout(() => stop("timeout"), limits.timeoutMs);
  const sampler = pid === undefined || limits.memoryMb === undefined ? undefined : sampleMemory(pid, limits.memoryMb, stop);
  signal?.addEventListener("abort", cancel);
  const guard: Guard = {
    stopped: undefined,
    end() {
      clearTimeout(timer);
      clearInterval(sampler);
      signal?.removeEventListener("abort", cancel);
    },
  };
  if (signal?.aborted) cancel();
  return guard;
}

function sampleMemory(pid: number, limitMb: number, stop: (reason: "memory") => void): NodeJS.Timeout | undefined {
  if (process.platform !== "linux") return undefined;
  return setInterval(async () => {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const residentKb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    if (residentKb > limitMb * 1024) stop("memory");
  }, 50);
}
