import { execFileSync } from "node:child_process";

/** Of sockets: one for each host, what polls and reports share, and what a process has anyway. */
const besides = 1200;

/** Throws with what to do, before a run of minutes that could not end well. */
export function assertOpenFiles(hosts: number): void {
  const [soft, hard] = ["-Sn", "-Hn"].map((flag) =>
    execFileSync("/bin/sh", ["-c", `ulimit ${flag}`], { encoding: "utf8" }).trim(),
  );
  if (hard === "unlimited" || Number(hard) >= hosts + besides) return;
  throw new Error(
    `${hosts} hosts need ${hosts + besides} open files in one process; the limit here is ${soft}, and ${hard} at most. Raise it (ulimit -Hn, LimitNOFILE), or ask for fewer: --hosts ${Number(hard) - besides}.`,
  );
}
