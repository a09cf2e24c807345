import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describeOutput, type Exit, type Spawned, spawnProcess } from "./spawned.ts";
import { until } from "./until.ts";

/** The command as a user starts it. */
export const larderCommand = resolve(import.meta.dir, "../../bin/larder");

/** What that ends up as, for a Bun of another platform. */
const source = ["--no-env-file", "--no-install", resolve(import.meta.dir, "../../src/cli/main.ts")];

export interface LarderOptions {
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** What runs the command, such as `["ip", "netns", "exec", "host1"]`. */
  within?: readonly string[];
  /** The executable to run it with, instead of the Bun that `bin/larder` finds. */
  bun?: string | undefined;
}

/** `bin/larder ARGS` as a process of its own; not waited for. */
export function startLarder(args: readonly string[], { within = [], bun, ...options }: LarderOptions = {}): Spawned {
  const larder = bun === undefined ? [larderCommand] : [bun, ...source];
  const [command, ...rest] = [...within, ...larder, ...args] as [string, ...string[]];
  return spawnProcess(command, rest, options);
}

export interface LarderResult extends Exit {
  stdout: string;
  stderr: string;
  /** Standard output as the one JSON value that `--json` promises. */
  json<T = unknown>(): T;
}

/** Runs one command to its end, whatever its exit code. `input` is its standard input. */
export async function runLarder(
  args: readonly string[],
  { input = "", timeoutMs = 60_000, ...options }: LarderOptions & { input?: string; timeoutMs?: number } = {},
): Promise<LarderResult> {
  await using larder = startLarder(args, options);
  larder.write(input);
  larder.endInput();
  const exit = await exitWithin(larder, timeoutMs);
  const [stdout, stderr] = [larder.stdout(), larder.stderr()];
  return {
    ...exit,
    stdout,
    stderr,
    json<T>() {
      try {
        return JSON.parse(stdout) as T;
      } catch (cause) {
        throw new Error(`${larder.command} ended with ${exit.code} and not with one JSON value.\n${describeOutput(larder)}`, {
          cause,
        });
      }
    },
  };
}

export interface LarderServer extends Spawned {
  /** Without a slash at its end. */
  url: string;
  dataDir: string;
  adminToken(): Promise<string>;
}

/** `larder up` or `serve` on a free port, once it says that it is ready. */
export async function startServer(
  kind: "up" | "serve",
  { dataDir, args = [], listen = "127.0.0.1:0", timeoutMs = 30_000, ...options }: StartOptions & { listen?: string },
): Promise<LarderServer> {
  const larder = startLarder([kind, "--data-dir", dataDir, "--listen", listen, "--json", ...args], options);
  const { address } = await readyLine<{ address: string }>(larder, timeoutMs);
  return Object.assign(larder, {
    url: address,
    dataDir,
    adminToken: async () => (await readFile(join(dataDir, "control/admin-token"), "utf8")).trim(),
  });
}

export interface StartOptions extends LarderOptions {
  dataDir: string;
  args?: readonly string[];
  timeoutMs?: number;
}

/** `larder agent`, once it says that it follows the server. */
export async function startAgent({
  dataDir,
  server,
  token,
  args = [],
  timeoutMs = 30_000,
  env,
  ...options
}: StartOptions & { server: string; token?: string }): Promise<Spawned> {
  const words = ["agent", "--data-dir", dataDir, "--server", server, "--json", ...args];
  const larder = startLarder(words, { ...options, env: { ...(token === undefined ? {} : { LARDER_TOKEN: token }), ...env } });
  await readyLine(larder, timeoutMs);
  return larder;
}

/**
 * The first line on standard output: JSON with the process's own `pid`, where an error's JSON has none. A process that ends, fails or stays
 * silent is killed, and what it said is the error.
 */
async function readyLine<T>(larder: Spawned, timeoutMs: number): Promise<T> {
  try {
    const line = await until(
      `${larder.command} is ready`,
      () => (larder.stdout().includes("\n") || !larder.isRunning() ? larder.stdout().split("\n")[0] : undefined),
      { timeoutMs },
    );
    const answer = JSON.parse(line) as T & { pid?: number };
    if (answer.pid === undefined) throw new Error("This is no ready line.");
    return answer;
  } catch (cause) {
    await Promise.race([larder.exited, new Promise((resolve) => setTimeout(resolve, 200))]);
    await larder[Symbol.asyncDispose]();
    throw new Error(`${larder.command} did not become ready.\n${describeOutput(larder)}`, { cause });
  }
}

async function exitWithin(larder: Spawned, timeoutMs: number): Promise<Exit> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const what = () => new Error(`${larder.command} did not end within ${timeoutMs} ms.\n${describeOutput(larder)}`);
    timer = setTimeout(() => reject(what()), timeoutMs);
  });
  try {
    return await Promise.race([larder.exited, late]);
  } finally {
    clearTimeout(timer);
  }
}
