import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Why system calls cannot be traced here; `undefined` when they can. */
export function whyNoStrace(): string | undefined {
  if (process.platform !== "linux") return "strace is Linux's";
  const { error, status, stderr } = spawnSync("strace", ["-f", "-o", "/dev/null", "true"], { encoding: "utf8", timeout: 10_000 });
  if (error) return "strace is not installed";
  return status === 0 ? undefined : `strace: ${stderr.trim().split("\n")[0]}`;
}

/** Attaches to threads of a running process, to all (and those to come) or to one; resolves when it holds them. */
export async function attachStrace(args: readonly string[], output: string): Promise<ChildProcess> {
  const tracer = spawn("strace", [...args, "-o", output], { stdio: ["ignore", "ignore", "pipe"] });
  await new Promise<void>((resolve, reject) => {
    let text = "";
    tracer.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (/attached/.test(text)) resolve();
    });
    tracer.once("exit", () => reject(new Error(`strace ended: ${text}`)));
    tracer.once("error", reject);
  });
  return tracer;
}

export interface Thread {
  id: number;
  name: string;
  /** The number of the system call that it is in. */
  inCall: number;
}

export function threadsOf(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`).map((id) => ({
    id: Number(id),
    name: readFileSync(`/proc/${pid}/task/${id}/comm`, "utf8").trim(),
    inCall: Number.parseInt(readFileSync(`/proc/${pid}/task/${id}/syscall`, "utf8"), 10),
  }));
}

export interface TracedCall {
  thread: number;
  name: string;
  /** How many calls of this name the thread made until then, this one included. */
  ordinal: number;
  /** Arguments and answer, as strace writes them. */
  text: string;
}

/** What `strace -f -o` wrote. A call that another thread interrupted comes in two lines, of which the first counts. */
export function parseTrace(trace: string): TracedCall[] {
  const seen = new Map<string, number>();
  const calls: TracedCall[] = [];
  for (const line of trace.split("\n")) {
    const found = /^(\d+)\s+([a-z0-9_]+)\((.*)$/.exec(line);
    if (!found) continue;
    const [, thread = "", name = "", text = ""] = found;
    const ordinal = (seen.get(`${thread} ${name}`) ?? 0) + 1;
    seen.set(`${thread} ${name}`, ordinal);
    calls.push({ thread: Number(thread), name, ordinal, text });
  }
  return calls;
}
