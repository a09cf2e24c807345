import type { CommandSpec } from "./command.ts";

/** What the list of all commands says of one; the rest of it is loaded when a command line names it. */
export interface ListedCommand {
  /** With its group in front: `hosts enrol`. */
  name: string;
  /** In commander's form: `<package...>`, `[id]`; empty when it takes none. */
  args: string;
  summary: string;
  load(): Promise<CommandSpec>;
}

/** The commands that one file exports, by the names under which it does. A usage is a command's name and arguments. */
export function listFile<File>(
  load: () => Promise<File>,
  exported: { [Name in keyof File as File[Name] extends CommandSpec ? Name : never]?: [usage: string, summary: string] },
): ListedCommand[] {
  return Object.entries(exported as Record<string, [usage: string, summary: string]>).map(([key, [usage, summary]]) => {
    const [, name = usage, args = ""] = /^([a-z ]+?)(?: ([<[].*))?$/.exec(usage) ?? [];
    return { name, args, summary, load: async () => (await load())[key as keyof File] as CommandSpec };
  });
}
