import { statSync } from "node:fs";
import { resolve } from "node:path";
import { Option } from "commander";
import { exitCodeOf, LarderError } from "../../contract/bare.ts";
import { type ErrorBody, type Runtime, runtimes } from "../../contract/for-hosts.ts";
import { defineCommand, type Outcome } from "../command.ts";
import { openExistingStore } from "../local-store.ts";
import { parseCount, parseJson, parseTime, parseVariable } from "../option-values.ts";
import { renderError } from "../render/error.ts";
import { formatDuration } from "../render/quantity.ts";
import { styleFor } from "../render/style.ts";
import { plain } from "../render/text.ts";

interface RunOptions {
  context?: unknown;
  env?: Record<string, string>;
  timeout?: number;
  cpu?: number;
  memory?: number;
  runtime?: Runtime;
  generation?: number;
}

export const run = defineCommand<[file: string], RunOptions>({
  description:
    "Runs on the host store in the data directory; no server is needed. What the script exports as default, or its promise brings, is printed as JSON; the context is its global `context`.",
  examples: [
    "run report.ts",
    `run report.ts --context '{"day": "2026-01-31"}' --env REGION=eu --timeout 10s`,
    `run - <<< 'import dayjs from "dayjs"; export default dayjs().year()'`,
    "run report.ts --runtime node",
    "run report.ts --generation 3 --json | jq .result",
  ],
  settings: ["platform"],
  args: { file: "a TypeScript or JavaScript file, or - for standard input" },
  configure: (command) =>
    void command
      .option("--context <json>", "value that the script is given", parseJson("--context"))
      .option("--env <name=value>", "a variable of the script's environment; repeatable", parseVariable("--env"))
      .option("--timeout <time>", "stop it after this long (default: 30s)", parseTime("--timeout"))
      .option("--cpu <time>", "stop it after this much processor time (default: twice --timeout)", parseTime("--cpu"))
      .option("--memory <mb>", "stop it when it takes more memory (default: 1024)", parseCount("--memory"))
      .addOption(new Option("--runtime <name>", "what runs it (default: bun)").choices(runtimes))
      .option("--generation <n>", "run against this generation, if it is still here", parseCount("--generation")),
  async run(context, [file], options): Promise<Outcome> {
    const { settings, terminal } = context;
    const source = file === "-" ? { script: await terminal.readInput() } : { file: existingFile(resolve(terminal.cwd, file)) };
    const { createRunner } = await import("../../runner/index.ts");
    await using store = await openExistingStore(context);
    const result = await createRunner(store).run({
      ...source,
      ...(options.context !== undefined && { context: options.context }),
      ...(options.env && { env: options.env }),
      ...(options.timeout !== undefined && { timeoutMs: options.timeout }),
      ...(options.cpu !== undefined && { cpuMs: options.cpu }),
      ...(options.memory !== undefined && { memoryMb: options.memory }),
      ...(options.runtime && { runtime: options.runtime }),
      ...(options.generation !== undefined && { generation: options.generation }),
      signal: terminal.signal,
      ...(!settings.json && {
        onOutput: (stream: "stdout" | "stderr", text: string) => (stream === "stdout" ? terminal.out : terminal.err)(text),
      }),
    });
    if (!settings.json) {
      const style = styleFor(terminal.errIsTTY, terminal.environment);
      const where = result.generation === 0 ? "without packages" : `generation ${result.generation}`;
      for (const warning of result.warnings) terminal.err(`${renderError(LarderError.fromBody(warning), style)}\n`);
      if (result.error)
        terminal.err(`${renderError(LarderError.fromBody(result.error), style)}\n${style.dim(stackOf(result.error))}`);
      if (terminal.errIsTTY) terminal.err(`${style.dim(`${where} · ${formatDuration(result.durationMs)}`)}\n`);
    }
    return {
      json: result,
      exitCode: exitCodeFor(result.error),
      ...(result.result !== undefined && result.result !== null && { text: JSON.stringify(result.result, null, 2) }),
    };
  },
});

/** Where in the script it happened: the lines below the message, which was said already. */
function stackOf({ details }: ErrorBody): string {
  if (typeof details?.stack !== "string") return "";
  const frames = details.stack.split("\n").filter((line) => /^\s+at /.test(line));
  return frames
    .slice(0, 10)
    .map((line) => `${plain(line)}\n`)
    .join("");
}

const exitCodeFor = (error: ErrorBody | null): number => (error ? exitCodeOf(LarderError.fromBody(error).code) : 0);

function existingFile(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) {
    throw new LarderError("E_INPUT", `${path} is a directory.`, { hint: "Give the path of a script within." });
  }
  if (found) return path;
  throw new LarderError("E_NOT_FOUND", `There is no file ${path}.`, {
    hint: "Give a script's path, or - to read it from standard input.",
  });
}
