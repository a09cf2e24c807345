import type { RunLimits } from "../contract/for-hosts.ts";
import { scratchUsage } from "./scratch-usage.ts";
import type { Usage, UsageSampler, Watch } from "./usage-sampler.ts";

export type StopReason = "cancelled" | Exclude<keyof RunLimits, "outputBytes">;

export interface Guard {
  /** The first limit that was met. */
  reason: StopReason | undefined;
  members: Watch["members"];
  end(): void;
}

export interface Guarded {
  /** The process that leads the run. */
  leader: number;
  directory: string;
  limits: RunLimits;
  count: (() => number) | undefined;
  sampler: UsageSampler;
  signal: AbortSignal | undefined;
  stop(): void;
}

const mib = 1024 * 1024;
/** A short run is never looked at. */
const scratchEveryMs = 1000;

/** Calls `stop` at the first limit that the run meets. Memory, processor time, files and processes are sampled. */
export function guardLimits({ leader, directory, limits, count, sampler, signal, stop }: Guarded): Guard {
  const meet = (reason: StopReason) => {
    if (guard.reason !== undefined) return;
    guard.reason = reason;
    stop();
  };
  const judgeCount = (processes: number) => {
    const tooMany = processes > limits.processes;
    if (tooMany) meet("processes");
    return tooMany;
  };
  const judge = ({ processes, memoryBytes, cpuMs }: Usage) => {
    if (memoryBytes > limits.memoryMb * mib) meet("memoryMb");
    else if (cpuMs > limits.cpuMs) meet("cpuMs");
    else judgeCount(processes);
  };
  let counting = false;
  const measure = async () => {
    if (counting) return;
    counting = true;
    const used = await scratchUsage(directory, { files: limits.files, sizeBytes: limits.fileMb * mib });
    counting = false;
    if (used.files > limits.files) meet("files");
    else if (used.sizeBytes > limits.fileMb * mib) meet("fileMb");
  };
  const cancel = () => meet("cancelled");
  const timer = setTimeout(() => meet("timeoutMs"), limits.timeoutMs);
  const counter = setInterval(measure, scratchEveryMs);
  const watch = sampler.watch(leader, { suspicious: limits.processes, count, onCount: judgeCount, onUsage: judge });
  signal?.addEventListener("abort", cancel);
  const guard: Guard = {
    reason: undefined,
    members: watch.members,
    end() {
      clearTimeout(timer);
      clearInterval(counter);
      watch.end();
      signal?.removeEventListener("abort", cancel);
    },
  };
  if (signal?.aborted) cancel();
  return guard;
}
