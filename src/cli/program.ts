import { Command, type CommanderError, Option } from "commander";
import type { CommandSpec } from "./command.ts";
import { renderHelp } from "./help.ts";
import { type SettingDescription, type SettingName, settingDescriptions } from "./settings.ts";

/** What every command takes. */
const commonSettings: SettingName[] = ["dataDir", "server", "token", "environment", "json", "yes", "logLevel"];

const groupSummaries: Record<string, string> = {
  hosts: "The machines that are kept stocked",
  tokens: "Who may talk to the server",
  operations: "Long jobs: installs and the like",
  environments: "Named allowlists, each with its hosts",
  policy: "What may come in",
  waivers: "Exceptions from the policy",
  revocations: "Versions that are blocked everywhere",
  storage: "Where packages are kept",
  registry: "Where packages come from, and with whose token",
  secrets: "The key that seals what is secret",
};

const firstSteps = [
  "up                      control plane and a host, in one process",
  "add dayjs zod@3.23.8    put packages on the allowlist",
  "install                 resolve and publish them; hosts follow",
  "run script.ts           run a script that imports them",
  "status                  see where everything stands",
];

const epilogue = `Settings come from flags, then LARDER_* variables (--data-dir: LARDER_DATA_DIR),
then larder.config.json in the working directory ({"dataDir": "…"}).

Exit codes: 0 done · 1 failed · 2 bad input · 3 not allowed · 4 not found
  5 busy · 6 a registry's fault · 7 storage · 8 not trusted · 9 a run failed
  70 a bug in Larder · 130 interrupted`;

export interface ProgramOptions {
  commands: CommandSpec[];
  version: string;
  columns: number;
  out(text: string): void;
  /** Called for the one command that the command line names. */
  dispatch(spec: CommandSpec, call: { args: unknown[]; flags: Record<string, unknown> }): Promise<void>;
}

/** The command line's grammar. Parsing throws `CommanderError`; nothing here ends the process or writes to standard error. */
export function buildProgram(options: ProgramOptions): Command {
  const program = configured(new Command("larder"), options, { examples: firstSteps, epilogue })
    .description("Keeps every host that runs user-written scripts stocked with exactly the same npm packages.")
    .version(options.version, "-V, --version", "print the version")
    .usage("<command> [options]");
  for (const name of commonSettings) program.addOption(optionOf(name));
  const groups = new Map<string, Command>();
  for (const spec of options.commands) {
    const [first, second] = spec.name.split(" ") as [string, string | undefined];
    const parent = second === undefined ? program : groupCommand(program, groups, first, options);
    addCommand(parent, second ?? first, spec, options);
  }
  return program;
}

function groupCommand(program: Command, groups: Map<string, Command>, name: string, options: ProgramOptions): Command {
  const existing = groups.get(name);
  if (existing) return existing;
  const examples = options.commands.filter((spec) => spec.name.startsWith(`${name} `)).map((spec) => spec.examples[0]!);
  const group = configured(program.command(name), options, { examples })
    .description(groupSummaries[name] ?? name)
    .allowExcessArguments();
  group.action(() => {
    const known = group.commands.map((command) => command.name()).join(", ");
    const [given] = group.args;
    group.error(
      given === undefined ? `larder ${name} needs a command: ${known}` : `larder ${name} has no command '${given}', but ${known}`,
    );
  });
  groups.set(name, group);
  return group;
}

function addCommand(parent: Command, name: string, spec: CommandSpec, options: ProgramOptions): void {
  const command = configured(parent.command(name), options, { examples: spec.examples })
    .summary(spec.summary)
    .description([`${spec.summary}.`, spec.description].filter(Boolean).join("\n\n"))
    // Its group, which it takes this from, allows them.
    .allowExcessArguments(false);
  spec.configure?.(command);
  for (const setting of spec.settings ?? []) command.addOption(optionOf(setting));
  command.action(async () => {
    await options.dispatch(spec, { args: command.processedArgs, flags: command.optsWithGlobals() });
  });
}

function configured(
  command: Command,
  { columns, out }: ProgramOptions,
  page: { examples: string[]; epilogue?: string },
): Command {
  return command
    .exitOverride()
    .helpCommand(false)
    .helpOption("-h, --help", "print this page")
    .configureOutput({ writeOut: out, writeErr: () => undefined, getOutHelpWidth: () => columns, getErrHelpWidth: () => columns })
    .configureHelp({ showGlobalOptions: true, helpWidth: columns, formatHelp: (cmd, help) => renderHelp(cmd, help, page) });
}

function optionOf(name: SettingName): Option {
  const setting: SettingDescription = settingDescriptions[name];
  const { flag, argument, description, fallback } = setting;
  // Not a default of commander's: that would look like a flag to whoever weighs flags against variables.
  const shownFallback = argument !== undefined && fallback ? ` (default: ${fallback})` : "";
  const flags = `${name === "yes" ? "-y, " : ""}--${flag}${argument === undefined ? "" : ` <${argument.toLowerCase()}>`}`;
  return new Option(flags, `${description}${shownFallback}`);
}

/** The command line as a user's mistake: `undefined` when it was none (help and version were asked for). */
export function describeCommandLineError(error: CommanderError): string | undefined {
  if (error.exitCode === 0) return undefined;
  if (error.code === "commander.help") return "No command was given.";
  const text = error.message.replace(/^error: /, "").replace(/\n?\(Did you mean (.*)\?\)$/s, " (did you mean $1?)");
  const capital = text.startsWith("larder ") ? text : `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return `${capital.replace(/\.$/, "")}.`;
}
