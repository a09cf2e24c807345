import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, sleep } from "../lib/index.ts";

/** A control group for one run. */
export interface RunCgroup extends AsyncDisposable {
  /** Where a process writes 0 to enter it. */
  entrance: string;
  /** How many processes are in it; without end once the kernel had to refuse one. */
  count(): number;
  /** Nothing starts in it any more, and what is in it ends. */
  kill(): void;
}

export function openRunCgroup(path: string, tasks: number): RunCgroup {
  mkdirSync(path);
  const read = (name: string) => readFileSync(join(path, name), "utf8");
  const cgroup: RunCgroup = {
    entrance: join(path, "cgroup.procs"),
    count: () =>
      /^max [1-9]/m.test(read("pids.events")) ? Number.POSITIVE_INFINITY : read("cgroup.procs").split("\n").length - 1,
    kill: () => killMembers(path),
    async [Symbol.asyncDispose]() {
      // What was killed is still in it until the kernel has let it go.
      for (let attempt = 0; attempt < removals && !killCgroup(path); attempt++) await sleep(removeEveryMs);
    },
  };
  try {
    writeFileSync(join(path, "pids.max"), `${tasks}`);
    return cgroup;
  } catch (error) {
    rmdirSync(path);
    throw error;
  }
}

const removals = 400;
const removeEveryMs = 5;

/** Ends what is in it and removes it; false while something is left there. */
export function killCgroup(path: string): boolean {
  killMembers(path);
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return true;
    if (errnoOf(error) === "EBUSY") return false;
    throw error;
  }
}

/** None of them can start another one between two looks: that comes first. */
function killMembers(path: string): void {
  try {
    const members = join(path, "cgroup.procs");
    if (readFileSync(members, "utf8") === "") return;
    writeFileSync(join(path, "pids.max"), "0");
    const atOnce = join(path, "cgroup.kill");
    if (existsSync(atOnce)) writeFileSync(atOnce, "1");
    else for (const pid of readFileSync(members, "utf8").split("\n").filter(Boolean)) end(Number(pid));
  } catch (error) {
    // It has been removed.
    if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENODEV") throw error;
  }
}

function end(pid: number): void {
  try {
    // 0 is what a process of a namespace that cannot be seen from here is called.
    if (pid > 0) process.kill(pid, "SIGKILL");
  } catch (error) {
    // It has ended.
    if (errnoOf(error) !== "ESRCH") throw error;
  }
}
