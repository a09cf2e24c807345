import { Command, type CommanderError, Option } from "commander";
import type { CommandSpec } from "./command.ts";
import type { ListedCommand } from "./command-list.ts";
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
  keys: "The key that signs what hosts believe",
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

export interface CommandCall {
  args: unknown[];
  flags: Record<string, unknown>;
  /** Those of the flags that are settings. A command may have an option of its own by a setting's name, as `waivers add --registry` is no address. */
  settingFlags: Record<string, unknown>;
}

export interface ProgramOptions {
  commands: ListedCommand[];
  version: string;
  columns: number;
  out(text: string): void;
  /** Called for the one command that the command line names. */
  dispatch(spec: CommandSpec, call: CommandCall): Promise<void>;
}

/**
 * The command line's grammar. Parsing loads the command that is named, or those of the group; it throws `CommanderError`. Nothing here ends the
 * process or writes to standard error.
 */
export function buildProgram(options: ProgramOptions): Command {
  const program = new Command("larder")
    .description("Keeps every host that runs user-written scripts stocked with exactly the same npm packages.")
    .version(options.version, "-V, --version", "print the version")
    .usage("<command> [options]")
    .exitOverride()
    .helpCommand(false)
    .helpOption("-h, --help", "print this page")
    .configureOutput({
      writeOut: options.out,
      writeErr: () => undefined,
      getOutHelpWidth: () => options.columns,
      getErrHelpWidth: () => options.columns,
    });
  showHelp(program, options, { examples: firstSteps, epilogue });
  for (const name of commonSettings) program.addOption(optionOf(name));
  const outlines = options.commands.map((listed) => ({ listed, command: addOutline(program, listed) }));
  return program.hook("preSubcommand", async (_program, named) => {
    const meant = outlines.filter(({ command }) => command === named || command.parent === named);
    const specs = await Promise.all(meant.map(({ listed }) => listed.load()));
    for (const [i, { listed, command }] of meant.entries()) complete(command, { ...specs[i]!, summary: listed.summary }, options);
    if (named.commands.length > 0) showHelp(named, options, { examples: specs.map(({ examples }) => examples[0]!) });
  });
}

/** As much of a command as other pages show of it. */
function addOutline(program: Command, { name, args, summary }: ListedCommand): Command {
  const [first, second] = name.split(" ") as [string, string | undefined];
  const parent = second === undefined ? program : groupCommand(program, first);
  // Its group, which it takes this from, allows excess arguments.
  return parent
    .command(`${second ?? first} ${args}`.trim())
    .summary(summary)
    .allowExcessArguments(false);
}

function groupCommand(program: Command, name: string): Command {
  const existing = program.commands.find((command) => command.name() === name);
  if (existing) return existing;
  const group = program
    .command(name)
    .description(groupSummaries[name] ?? name)
    .allowExcessArguments();
  return group.action(() => {
    const known = group.commands.map((command) => command.name()).join(", ");
    const [given] = group.args;
    group.error(
      given === undefined ? `larder ${name} needs a command: ${known}` : `larder ${name} has no command '${given}', but ${known}`,
    );
  });
}

function complete(command: Command, spec: CommandSpec & { summary: string }, options: ProgramOptions): void {
  command.description([`${spec.summary}.`, spec.description].filter(Boolean).join("\n\n"));
  showHelp(command, options, { examples: spec.examples });
  for (const argument of command.registeredArguments) {
    const described = spec.args?.[argument.name()];
    if (described === undefined) throw new Error(`Nothing says what ${argument.name()} is.`);
    const [description, parse] = Array.isArray(described) ? described : [described];
    argument.description = description;
    if (parse) argument.argParser(parse);
  }
  spec.configure?.(command);
  for (const setting of spec.settings ?? []) command.addOption(optionOf(setting));
  command.action(async () => {
    const flags = command.optsWithGlobals();
    const settingFlags = Object.fromEntries([...commonSettings, ...(spec.settings ?? [])].map((name) => [name, flags[name]]));
    await options.dispatch(spec, { args: command.processedArgs, flags, settingFlags });
  });
}

function showHelp(command: Command, { columns }: ProgramOptions, page: { examples: string[]; epilogue?: string }): void {
  command.configureHelp({ showGlobalOptions: true, helpWidth: columns, formatHelp: (cmd, help) => renderHelp(cmd, help, page) });
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
