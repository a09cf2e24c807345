import { LarderError } from "../contract/index.ts";
import type { ChildReport } from "./child-main.ts";
import { classifyFailure } from "./classify-failure.ts";
import type { RunRequest } from "./create-runner.ts";
import type { ChildEnd } from "./run-child.ts";
import { createScene, type SceneInput } from "./scene.ts";

export interface Verdict {
  result: unknown;
  error?: LarderError;
}

type Report = ChildReport | { kind: "garbled"; tooLarge: boolean } | undefined;

/** A run's outcome from how its process ended and what it reported. */
export async function judgeRun(
  end: ChildEnd,
  report: Report,
  { request, describe }: { request: Pick<RunRequest, "timeoutMs" | "memoryMb">; describe(): Promise<SceneInput> },
): Promise<Verdict> {
  const stopped = stopError(end, report, request);
  if (stopped) return failed(stopped);
  if (report?.kind === "thrown") return failed(classifyFailure(report.thrown, createScene(await describe())));
  if (report?.kind === "unserialisable") return failed(unserialisable(report.message));
  if (report?.kind === "garbled") {
    return failed(
      new LarderError(
        "E_RUN_FAILED",
        report.tooLarge ? "The script's result is too large." : "The script's result cannot be read.",
        {
          hint: report.tooLarge ? "Return less than 32 MiB of JSON; write large data somewhere else." : undefined,
        },
      ),
    );
  }
  if (end.exitCode !== 0)
    return failed(new LarderError("E_RUN_FAILED", `The script ended itself with exit code ${end.exitCode}.`));
  if (report?.kind === "unsettled") {
    return failed(
      new LarderError("E_RUN_FAILED", "The default export is a promise that never settles: nothing was left to run.", {
        hint: "Check for an await on something that never happens.",
      }),
    );
  }
  return { result: report === undefined ? null : (JSON.parse(report.json) as unknown) };
}

const failed = (error: LarderError): Verdict => ({ result: null, error });

function stopError(end: ChildEnd, report: Report, request: Pick<RunRequest, "timeoutMs" | "memoryMb">): LarderError | undefined {
  if (end.stopped === "timeout") {
    const delivered = report?.kind === "value";
    return new LarderError("E_RUN_TIMEOUT", `The script ran longer than ${request.timeoutMs ?? 30_000} ms and was stopped.`, {
      hint: delivered
        ? "It had given its result, but a timer, server or connection kept it running: close it, or call process.exit()."
        : "Make it faster, or allow more time.",
    });
  }
  if (end.stopped === "memory") {
    return new LarderError("E_RUN_KILLED", `The script used more than ${request.memoryMb} MiB of memory and was stopped.`, {
      hint: "Make it use less, or allow more.",
    });
  }
  if (end.stopped === "cancelled") return new LarderError("E_CANCELLED", "The run was cancelled.");
  if (end.signal !== null) {
    return new LarderError("E_RUN_KILLED", `The script's process was ended by ${end.signal}.`, {
      hint: "It may have run out of memory, or a native module crashed it.",
      details: { signal: end.signal },
    });
  }
  return undefined;
}

const unserialisable = (message: string): LarderError =>
  new LarderError("E_RUN_FAILED", `The script's result cannot be sent as JSON: ${message}`, {
    hint: message.startsWith("a function")
      ? "Export what the function returns: export default await main()"
      : "Export plain data: objects, lists, strings, numbers.",
  });
