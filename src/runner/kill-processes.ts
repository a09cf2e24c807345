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
 * with. Linux only; one that cleared its environment is not found.
 */
export async function killStragglers(runDirectory: string): Promise<void> {
  if (process.platform !== "linux") return;
  const mark = Buffer.from(`HOME=${runDirectory}\0`);
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    try {
      const environment = await readFile(`/proc/${entry}/environ`);
      if (environment.includes(mark)) process.kill(Number(entry), "SIGKILL");
    } catch {
      // Another user's process, or one that has ended meanwhile.
    }
  }
}
