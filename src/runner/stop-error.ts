import { LarderError, type RunLimits } from "../contract/for-hosts.ts";
import type { StopReason } from "./guard-limits.ts";
import type { RunReport } from "./read-report.ts";
import type { ChildEnd } from "./run-in-cell.ts";

/** Why a run was ended from outside: by us, or by the system; `undefined` when it ended by itself. */
export function limitError(end: ChildEnd, report: RunReport, limits: RunLimits): LarderError | undefined {
  if (end.stopped !== undefined) return stopError(end.stopped, { limits, delivered: report.outcome?.kind === "value" });
  if (isHeapExhausted(end, report)) return stopError("memoryMb", { limits, delivered: false });
  if (end.signal === null || report.exited) return undefined;
  if (report.crowded) return stopError("processes", { limits, delivered: false });
  if (end.signal === "SIGXFSZ") return stopError("fileMb", { limits, delivered: false });
  if (end.signal === "SIGXCPU") return stopError("cpuMs", { limits, delivered: false });
  return new LarderError("E_RUN_KILLED", `The script's process was ended by ${end.signal}.`, {
    hint: "The machine may have run out of memory, or a native module crashed it.",
    details: { signal: end.signal },
  });
}

/** V8 aborts and says so; Bun throws. */
function isHeapExhausted({ signal, stderr }: ChildEnd, { outcome }: RunReport): boolean {
  if (signal === "SIGABRT" || signal === "SIGTRAP") return stderr.includes("heap out of memory");
  return outcome?.kind === "thrown" && outcome.thrown.name === "RangeError" && outcome.thrown.message === "Out of memory";
}

function stopError(reason: StopReason, { limits, delivered }: { limits: RunLimits; delivered: boolean }): LarderError {
  if (reason === "cancelled") return new LarderError("E_CANCELLED", "The run was cancelled.");
  const [code, message, hint] = {
    timeoutMs: [
      "E_RUN_TIMEOUT",
      `The script ran longer than ${limits.timeoutMs} ms and was stopped.`,
      delivered
        ? "It had given its result, but a timer, server or connection kept it running: close it, or call process.exit()."
        : "Make it faster, or allow more time.",
    ],
    cpuMs: [
      "E_RUN_LIMIT",
      `The script used more than ${limits.cpuMs} ms of processor time and was stopped.`,
      "Look for a loop that never waits, or allow more.",
    ],
    memoryMb: [
      "E_RUN_MEMORY",
      `The script used more than ${limits.memoryMb} MiB of memory and was stopped.`,
      "Hold less at a time, or allow more.",
    ],
    fileMb: [
      "E_RUN_LIMIT",
      `The script wrote more than ${limits.fileMb} MiB to a file or to its directory and was stopped.`,
      "Write less, or allow more.",
    ],
    files: [
      "E_RUN_LIMIT",
      `The script made more than ${limits.files} files in its directory and was stopped.`,
      "Remove those that are done with, or allow more.",
    ],
    processes: [
      "E_RUN_LIMIT",
      `The script had more than ${limits.processes} processes and was stopped.`,
      "Look for processes that start each other, or allow more.",
    ],
  }[reason] as ["E_RUN_LIMIT", string, string];
  return new LarderError(code, message, { hint, details: { limit: reason, allowed: limits[reason] } });
}
