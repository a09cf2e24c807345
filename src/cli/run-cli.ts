import { CommanderError } from "commander";
import { exitCodeOf, LarderError } from "../contract/bare.ts";
import type { Outcome } from "./command.ts";
import type { ListedCommand } from "./command-list.ts";
import { buildProgram, describeCommandLineError } from "./program.ts";
import { renderError } from "./render/error.ts";
import { styleFor } from "./render/style.ts";
import type { Terminal } from "./terminal.ts";

/** What a shell expects of a command that Ctrl-C ended. */
const interruptedExitCode = 130;

/** Runs one command line to its end and gives the exit code. Never throws, never ends the process. */
export async function runCli(
  argv: string[],
  terminal: Terminal,
  { commands, version }: { commands: ListedCommand[]; version: string },
): Promise<number> {
  // Known before the settings are, because they may be what is wrong.
  let json = argv.includes("--json") || ["1", "true", "yes"].includes(terminal.environment.LARDER_JSON ?? "");
  let exitCode = 0;
  const program = buildProgram({
    commands,
    version,
    columns: terminal.outIsTTY ? Math.min(terminal.columns(), 100) : 80,
    out: terminal.out,
    async dispatch(spec, { args, flags, settingFlags }) {
      const { createContext } = await import("./create-context.ts");
      const context = createContext(settingFlags, terminal);
      json = context.settings.json;
      const outcome = await spec.run(context, args as never, flags as never);
      printOutcome(outcome, terminal, json);
      exitCode = outcome.exitCode ?? 0;
      if (exitCode !== 0 && terminal.signal.aborted) exitCode = interruptedExitCode;
    },
  });
  try {
    await program.parseAsync(
      expandHelp(
        argv,
        program.commands.map((command) => command.name()),
      ),
      { from: "user" },
    );
  } catch (error) {
    const failure = asFailure(error, argv, commands);
    if (failure === undefined) return 0;
    terminal.err(`${renderError(failure, styleFor(terminal.errIsTTY, terminal.environment))}\n`);
    if (json) terminal.out(`${JSON.stringify({ error: failure.toBody() })}\n`);
    if (failure.code === "E_INTERNAL" && failure.cause instanceof Error) terminal.err(`${failure.cause.stack}\n`);
    return failure.code === "E_CANCELLED" && terminal.signal.aborted ? interruptedExitCode : exitCodeOf(failure.code);
  }
  return exitCode;
}

/** `larder` alone, and `larder help COMMAND`. Help on a command that does not exist is a mistake, not a wish for the whole page. */
function expandHelp(argv: string[], names: string[]): string[] {
  if (argv.length === 0) return ["--help"];
  const [first, ...rest] = argv as [string, ...string[]];
  if (first === "help") return expandHelp([...rest, "--help"], names);
  if (first.startsWith("-") || names.includes(first)) return argv;
  return argv.filter((word) => word !== "--help" && word !== "-h");
}

function printOutcome({ json: value, text }: Outcome, terminal: Terminal, json: boolean): void {
  if (json) {
    if (value !== undefined) terminal.out(`${JSON.stringify(value)}\n`);
    return;
  }
  if (text === undefined) return;
  const columns = terminal.outIsTTY ? terminal.columns() : Number.POSITIVE_INFINITY;
  const rendered = typeof text === "string" ? text : text({ columns, style: styleFor(terminal.outIsTTY, terminal.environment) });
  terminal.out(`${rendered}\n`);
}

function asFailure(error: unknown, argv: string[], listed: ListedCommand[]): LarderError | undefined {
  if (!(error instanceof CommanderError)) {
    const failure = LarderError.from(error);
    if (failure.code !== "E_INTERNAL" || failure.hint !== undefined) return failure;
    return new LarderError("E_INTERNAL", failure.message, {
      hint: "This is a bug in Larder; please report it with what is above and below.",
      cause: error,
    });
  }
  const message = describeCommandLineError(error);
  if (message === undefined) return undefined;
  const command = error.code === "commander.unknownCommand" ? undefined : namedCommand(argv, listed);
  return new LarderError("E_INPUT", message, { hint: `See \`larder ${command === undefined ? "" : `${command} `}--help\`.` });
}

/** The command that a command line was meant for, or the group of one: whichever is named first, by as many words as fit. */
function namedCommand(argv: string[], listed: ListedCommand[]): string | undefined {
  const words = argv.filter((word) => !word.startsWith("-"));
  const names = listed.flatMap(({ name }) => [name, name.split(" ")[0]!]);
  for (const [index, word] of words.entries()) {
    const pair = `${word} ${words[index + 1] ?? ""}`;
    if (names.includes(pair)) return pair;
    if (names.includes(word)) return word;
  }
  return undefined;
}
