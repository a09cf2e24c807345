import { readFile } from "node:fs/promises";

/** Seconds of CPU so far. Linux counts in hundredths. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident now, and at most so far. */
export async function residentOf(pid: number): Promise<{ nowBytes: number; peakBytes: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
  return { nowBytes: kib("VmRSS"), peakBytes: kib("VmHWM") };
}

/** CPU of every process of one name whose start is after this one's: PostgreSQL's backends. */
export async function cpuSecondsOfChildren(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(pids.map((pid) => cpuSecondsOf(pid).catch(() => 0)));
  return each.reduce((sum, seconds) => sum + seconds, 0);
}
