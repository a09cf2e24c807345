import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import { stripVTControlCharacters } from "node:util";
import { LarderError } from "../contract/index.ts";
import { errnoOf, sleep, undefinedOn } from "../lib/index.ts";

export interface ProcessOptions {
  command: string;
  args: readonly string[];
  cwd: string;
  /** All of it: nothing is inherited. */
  env: Record<string, string>;
  timeoutMs: number;
  signal: AbortSignal;
}

const outputCap = 64 << 10;
const goneWithinMs = 2000;

/**
 * Runs a command in a process group of its own, and returns when nothing of that group lives, however it ended. Throws `E_TIMEOUT` at the deadline, and the
 * signal's reason when that aborts. `output` is the end of what it wrote to standard error.
 */
export async function runProcessGroup(options: ProcessOptions): Promise<{ exitCode: number | null; output: string }> {
  const { command, args, cwd, env, timeoutMs, signal } = options;
  signal.throwIfAborted();
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  const decoder = new StringDecoder("utf8");
  child.stderr.on("data", (chunk: Buffer) => {
    output = (output + decoder.write(chunk)).slice(-outputCap);
  });
  let timedOut = false;
  const kill = () => killGroup(child.pid);
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, timeoutMs);
  signal.addEventListener("abort", kill, { once: true });
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once("error", (error) => reject(cannotStart(command, error)));
      child.once("exit", kill);
      child.once("close", resolve);
    });
    signal.throwIfAborted();
    if (timedOut) throw tookTooLong(timeoutMs);
    return { exitCode, output: stripVTControlCharacters(output) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", kill);
    await groupGone(child.pid);
  }
}

function killGroup(pid: number | undefined): void {
  signalGroup(pid, "SIGKILL");
}

/** False when the group has no process left. */
function signalGroup(pid: number | undefined, signal: "SIGKILL" | 0): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ESRCH") return false;
    throw error;
  }
}

/** Kills again while anything lives: a process may have been born between the list of targets and its parent's death. */
async function groupGone(pid: number | undefined): Promise<void> {
  const giveUp = Date.now() + goneWithinMs;
  while (signalGroup(pid, "SIGKILL") && !(await onlyZombies(pid as number)) && Date.now() < giveUp) await sleep(5);
}

/** The dead count as members until their parent, or init, has taken notice, which in a container may be never. Linux tells them apart. */
async function onlyZombies(group: number): Promise<boolean> {
  const entries = await undefinedOn(["ENOENT"], readdir("/proc"));
  for (const entry of entries ?? []) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await undefinedOn(["ENOENT", "ESRCH"], readFile(`/proc/${entry}/stat`, "utf8"));
    const [state, , processGroup] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
    if (Number(processGroup) === group && state !== "Z" && state !== "X") return false;
  }
  return entries !== undefined;
}

const tookTooLong = (timeoutMs: number): LarderError =>
  new LarderError("E_TIMEOUT", `Resolving the allowlist took longer than ${Math.round(timeoutMs / 1000)} s and was stopped.`, {
    hint: "The registry may be slow. Try again.",
    retryable: true,
  });

const cannotStart = (command: string, cause: Error): LarderError =>
  new LarderError("E_CONFIG", `The resolver could not be started: ${cause.message}.`, {
    hint: `Check that ${command} is the bun executable that came with Larder.`,
    cause,
  });
