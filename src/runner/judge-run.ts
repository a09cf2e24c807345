import { LarderError, type RunLimits } from "../contract/for-hosts.ts";
import { classifyFailure } from "./classify-failure.ts";
import type { RunReport } from "./read-report.ts";
import type { ChildEnd } from "./run-in-cell.ts";
import { createScene, type SceneInput } from "./scene.ts";
import { limitError } from "./stop-error.ts";

export interface Verdict {
  result: unknown;
  error?: LarderError;
}

export interface Evidence {
  end: ChildEnd;
  report: RunReport;
  limits: RunLimits;
  describe(): Promise<SceneInput>;
  /** What the compiler said. */
  readDiagnostics(): Promise<string>;
}

/** A run's outcome from how its process ended and what it reported. */
export async function judgeRun({ end, report, limits, describe, readDiagnostics }: Evidence): Promise<Verdict> {
  const { outcome } = report;
  const stopped = limitError(end, report, limits);
  if (stopped) return failed(stopped);
  if (report.uncompiled) return failed(syntaxError(await readDiagnostics(), await describe()));
  if (outcome?.kind === "thrown") return failed(classifyFailure(outcome.thrown, createScene(await describe())));
  if (outcome?.kind === "unserialisable") return failed(unserialisable(outcome.message));
  if (outcome?.kind === "garbled") return failed(garbled(outcome.tooLarge));
  if (end.exitCode !== 0)
    return failed(new LarderError("E_RUN_FAILED", `The script ended itself with exit code ${end.exitCode}.`));
  if (outcome?.kind === "unsettled") {
    return failed(
      new LarderError("E_RUN_FAILED", "The default export is a promise that never settles: nothing was left to run.", {
        hint: "Check for an await on something that never happens.",
      }),
    );
  }
  return { result: outcome === undefined ? null : (JSON.parse(outcome.json) as unknown) };
}

const failed = (error: LarderError): Verdict => ({ result: null, error });

/** Bun's compiler says `error: <what>` and `at <file>:<line>:<column>`. */
function syntaxError(diagnostics: string, scene: SceneInput): LarderError {
  const { clean } = createScene(scene);
  const [, what = "it cannot be compiled"] = /^error: (.*)$/m.exec(diagnostics) ?? [];
  const [, line, column] = /^\s+at .*:(\d+):(\d+)$/m.exec(diagnostics) ?? [];
  const file = scene.scriptName;
  const heading = `SyntaxError: ${clean(what)}`;
  const position = line === undefined ? undefined : { file, line: Number(line), column: Number(column) };
  const frame = position && `\n    at ${file}:${position.line}:${position.column}`;
  return new LarderError("E_RUN_SYNTAX", heading, {
    hint: `Mend ${file}${position ? ` at line ${position.line}` : ""}.`,
    details: { name: "SyntaxError", stack: `${heading}${frame ?? ""}`, ...(position ? { position } : {}) },
  });
}

const garbled = (tooLarge: boolean): LarderError =>
  tooLarge
    ? new LarderError("E_RUN_LIMIT", "The script's result is too large.", {
        hint: "Return less than 32 MiB of JSON; write large data somewhere else.",
      })
    : new LarderError("E_RUN_FAILED", "The script's result cannot be read.", {
        hint: "Descriptor 3 is Larder's: let the script write somewhere else.",
      });

const unserialisable = (message: string): LarderError =>
  new LarderError("E_RUN_FAILED", `The script's result cannot be sent as JSON: ${message}`, {
    hint: message.startsWith("a function")
      ? "Export what the function returns: export default await main()"
      : "Export plain data: objects, lists, strings, numbers.",
  });
