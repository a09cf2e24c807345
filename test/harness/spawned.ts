import { type ChildProcess, spawn } from "node:child_process";

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A real process in a group of its own. Disposal kills the group, so nothing of it outlives a test. */
export interface Spawned extends AsyncDisposable {
  readonly pid: number;
  readonly command: string;
  readonly exited: Promise<Exit>;
  isRunning(): boolean;
  stdout(): string;
  stderr(): string;
  /** To the process itself, not to its children. */
  signal(signal: NodeJS.Signals): void;
  /** `kill -9` of the process alone: what it started is on its own, as after a real crash. */
  kill9(): Promise<Exit>;
  /** SIGTERM, and an error when it does not end in time. */
  stop(timeoutMs?: number): Promise<Exit>;
  write(text: string): void;
  endInput(): void;
}

const running = new Set<ChildProcess>();
// A test that timed out never reaches its disposals.
process.once("exit", () => {
  for (const child of running) killGroup(child);
});

export function spawnProcess(
  command: string,
  args: readonly string[],
  { cwd, env }: { cwd?: string; env?: Record<string, string | undefined> } = {},
): Spawned {
  const child = spawn(command, args, {
    detached: true,
    stdio: "pipe",
    ...(cwd && { cwd }),
    env: { ...plainEnvironment(), ...env },
  });
  running.add(child);
  const line = [command, ...args].join(" ");
  const streams = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8");
    child[name].on("data", (text: string) => {
      streams[name] += text;
    });
  }
  child.stdin.on("error", () => {}); // Whether it reads its input is the process's own affair.
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${line} could not be started: ${error.message}`, { cause: error })));
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  exited.catch(() => {}).finally(() => running.delete(child));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const spawned: Spawned = {
    pid: child.pid ?? 0,
    command: line,
    exited,
    isRunning,
    stdout: () => streams.stdout,
    stderr: () => streams.stderr,
    signal: (signal) => void child.kill(signal),
    kill9() {
      child.kill("SIGKILL");
      return exited;
    },
    async stop(timeoutMs = 15_000) {
      child.kill("SIGTERM");
      const timer = setTimeout(() => killGroup(child), timeoutMs);
      const exit = await exited;
      clearTimeout(timer);
      if (exit.signal === "SIGKILL")
        throw new Error(`${line} did not end within ${timeoutMs} ms of SIGTERM.\n${describeOutput(spawned)}`);
      return exit;
    },
    write: (text) => void child.stdin.write(text),
    endInput: () => void child.stdin.end(),
    async [Symbol.asyncDispose]() {
      killGroup(child);
      await exited.catch(() => {});
    },
  };
  return spawned;
}

/** For error messages: the end of what the process said. */
export function describeOutput(spawned: Pick<Spawned, "stdout" | "stderr">): string {
  return (["stdout", "stderr"] as const).map((name) => `--- ${name}\n${spawned[name]().slice(-4000).trimEnd()}`).join("\n");
}

/** Kills every process that a test left running; for an `afterEach` after tests that may time out. */
export async function killLeftProcesses(): Promise<void> {
  const left = [...running];
  for (const child of left) killGroup(child);
  await Promise.all(
    left.map((child) => (child.exitCode ?? child.signalCode) === null && new Promise((resolve) => child.once("exit", resolve))),
  );
}

/** The whole group, also when its leader is gone already. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** This process's environment without anything that would steer Larder, npm or Bun. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(LARDER_|npm_|BUN_|NODE_OPTIONS$)/i.test(name)));
}
