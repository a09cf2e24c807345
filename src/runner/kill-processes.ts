import { readdir, readFile } from "node:fs/promises";
import { errnoOf } from "../lib/index.ts";

/** SIGKILL to every process of the group that `leader` started. */
export function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    // The whole group has ended.
    if (errnoOf(error) !== "ESRCH") throw error;
  }
}

/**
 * SIGKILL to the processes that left a run's group (`setsid`, a second fork), known by the run's own `HOME` in the environment they were started
 * with. Linux only; one that cleared its environment is not found. `above`: only process ids from there on, which is where a run's descendants
 * are unless the ids have wrapped; looking at few keeps it under a millisecond.
 */
export async function killStragglers(runDirectory: string, { above = 0 }: { above?: number } = {}): Promise<void> {
  if (process.platform !== "linux") return;
  const mark = Buffer.from(`HOME=${runDirectory}\0`);
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const candidates = pids.filter((pid) => pid > above && pid !== process.pid);
  await Promise.all(
    candidates.map(async (pid) => {
      try {
        const environment = await readFile(`/proc/${pid}/environ`);
        if (environment.includes(mark)) process.kill(pid, "SIGKILL");
      } catch {
        // Another user's process, or one that has ended meanwhile.
      }
    }),
  );
}
