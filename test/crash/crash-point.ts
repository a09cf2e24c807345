import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { attachStrace, parseTrace, type Thread, threadsOf } from "../harness/strace.ts";
import type { Operation } from "./host-driver.ts";
import type { Stage } from "./host-stage.ts";

/** What changes a disk, by the family that reports name: the variants that a runtime may use. */
const families = {
  rename: ["rename", "renameat", "renameat2"],
  link: ["link", "linkat"],
  symlink: ["symlink", "symlinkat"],
  fsync: ["fsync", "fdatasync"],
  mkdir: ["mkdir", "mkdirat"],
  unlink: ["unlink", "unlinkat", "rmdir"],
  openat: ["open", "openat", "openat2"],
  write: ["write", "writev", "pwrite64", "pwritev", "pwritev2", "copy_file_range", "ftruncate", "ioctl"],
} as const;
export type Family = keyof typeof families;
const traced = `trace=${Object.values(families).flat().join(",")}`;
/** Errors that a disk may answer with to a family of calls. */
const errorsOf: Record<Family, readonly string[]> = {
  rename: ["ENOSPC", "EIO", "EROFS"],
  link: ["ENOSPC", "EIO", "EROFS", "EMLINK", "EPERM"],
  symlink: ["ENOSPC", "EIO", "EROFS"],
  fsync: ["ENOSPC", "EIO"],
  mkdir: ["ENOSPC", "EIO", "EROFS"],
  unlink: ["EIO", "EROFS"],
  openat: ["ENOSPC", "EIO", "EMFILE", "EROFS"],
  write: ["ENOSPC", "EIO"],
};

/** The moment just before one system call of one thread, counted from the operation's start. */
export interface CrashPoint {
  family: Family;
  /** One of the two that are there from the start, which are hit exactly; or any, by whichever comes first to this number of such calls. */
  thread: "main" | "files" | "any";
  call: string;
  ordinal: number;
  /** For people. */
  text: string;
}

export type Injection = "kill" | string;
export const injectionsAt = ({ family }: CrashPoint): readonly Injection[] => ["kill", ...errorsOf[family]];

/** The calls of one undisturbed operation that touch the store. */
export async function enumeratePoints(stage: Stage, operation: Operation, directory: string): Promise<CrashPoint[]> {
  const output = `${directory}.trace`;
  const driver = await startDriver(stage, operation, directory);
  await attachStrace(["-f", "-y", "-s", "0", "-e", traced, "-p", `${driver.process.pid}`], output);
  const { outcome } = await driver.run();
  if (outcome !== "done") throw new Error(`${operation} without a fault ended with ${outcome}`);
  const calls = parseTrace(readFileSync(output, "utf8"));
  return calls.flatMap(({ thread, name, ordinal, text }) => {
    const role = roleOf(driver, thread);
    const family = (Object.keys(families) as Family[]).find((key) => (families[key] as readonly string[]).includes(name));
    if (!family || !text.includes(directory)) return [];
    return [{ family, thread: role, call: name, ordinal, text: text.replaceAll(directory, "") }];
  });
}

/** `undefined`: the injection did not fire. */
export async function runWithInjection(
  stage: Stage,
  operation: Operation,
  { directory, point, injection }: { directory: string; point: CrashPoint; injection: Injection },
): Promise<{ outcome: string } | undefined> {
  const output = `${directory}.trace`;
  const driver = await startDriver(stage, operation, directory);
  const fault = injection === "kill" ? "signal=SIGKILL" : `error=${injection}`;
  const inject = `inject=${point.call}:${fault}:when=${point.ordinal}`;
  const who = point.thread === "any" ? ["-f", "-p", `${driver.main}`] : ["-p", `${driver[point.thread]}`];
  await attachStrace(["-e", `trace=${point.call}`, "-e", inject, ...who], output);
  const { outcome, signal } = await driver.run();
  const fired = injection === "kill" ? signal === "SIGKILL" : /\(INJECTED\)/.test(readFileSync(output, "utf8"));
  return fired ? { outcome } : undefined;
}

interface Driver {
  process: ChildProcess;
  main: number;
  files: number;
  run(): Promise<{ outcome: string; signal: NodeJS.Signals | null }>;
}

const roleOf = ({ main, files }: Driver, thread: number): CrashPoint["thread"] =>
  thread === main ? "main" : thread === files ? "files" : "any";

/** openat on x64 and on arm64: what the thread that waits at the FIFO is in. */
const openatNumbers = [257, 56];

async function startDriver(stage: Stage, operation: Operation, directory: string): Promise<Driver> {
  const fifo = join(stage.directory, "fifo");
  if (!existsSync(fifo)) spawnSync("mkfifo", [fifo]);
  const { generation } = stage.prepared[operation];
  const child = spawn(
    process.execPath,
    [join(import.meta.dir, "host-driver.ts"), directory, operation, `${generation}`, stage.sceneFile, fifo],
    {
      env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  let said = "";
  const exited = new Promise<NodeJS.Signals | null>((resolve) => child.once("close", (_, signal) => resolve(signal)));
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.startsWith("ready\n")) resolve();
    });
    child.once("close", () => reject(new Error(`the driver ended: ${said}`)));
  });
  const main = child.pid ?? 0;
  return {
    process: child,
    main,
    files: await fileThreadOf(main),
    async run() {
      child.stdin.end("\n");
      const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
      const signal = await exited;
      clearTimeout(timer);
      return { outcome: said.replace("ready\n", "").trim(), signal };
    },
  };
}

/** The one thread for files that is not waiting at the FIFO. */
async function fileThreadOf(pid: number): Promise<number> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const pool: Thread[] = threadsOf(pid).filter(({ name }) => name.startsWith("Bun Pool"));
    const free = pool.filter(({ inCall }) => !openatNumbers.includes(inCall));
    if (pool.length === 2 && free.length === 1) return free[0]?.id ?? 0;
    await Bun.sleep(1);
  }
  throw new Error("Bun's threads for files are not as expected");
}
