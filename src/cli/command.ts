import type { Command } from "commander";
import type { Logger } from "../lib/index.ts";
import type { Style } from "./render/style.ts";
import type { SettingName } from "./settings.ts";
import type { Settings } from "./settings-schema.ts";
import type { Terminal } from "./terminal.ts";

export interface CommandContext {
  settings: Settings;
  terminal: Terminal;
  logger: Logger;
}

/** What standard output can show, handed to whoever renders an answer. */
export interface Page {
  /** `Infinity` when standard output is no terminal: nothing is cut then. */
  columns: number;
  style: Style;
}

/** A command's answer, once for machines and once for people. `text` is left out when the command already printed what matters. */
export interface Outcome {
  json: unknown;
  text?: string | ((page: Page) => string);
  exitCode?: number;
}

/** One command, apart from what `commands.ts` says of it. */
export interface CommandSpec {
  /** More than the summary says, shown by `--help`. */
  description?: string;
  /** Command lines without the leading `larder`. */
  examples: string[];
  /** The settings that this command takes as flags, besides the common ones. */
  settings?: SettingName[];
  /** What `--help` says of each argument, by its name in the command's usage, and its parser where it is no plain text. */
  args?: Record<string, string | [description: string, parse: (text: string) => unknown]>;
  configure?(command: Command): void;
  /** `args` are commander's parsed arguments in order, `options` the command's own options (settings are in `context.settings`). */
  run(context: CommandContext, args: never, options: never): Promise<Outcome>;
}

/** Types a command's arguments and options where it is written. */
export function defineCommand<Args extends unknown[] = [], Options extends object = object>(
  spec: Omit<CommandSpec, "run"> & { run(context: CommandContext, args: Args, options: Options): Promise<Outcome> },
): CommandSpec {
  return spec as CommandSpec;
}
