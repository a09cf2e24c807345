import type { Command, Help } from "commander";

const gutter = "  ";

/**
 * A help page: what it is for and how it is used before the long lists. `examples` are command lines without the leading `larder`; `epilogue` comes
 * last.
 */
export function renderHelp(command: Command, help: Help, extra: { examples: string[]; epilogue?: string | undefined }): string {
  const items = (pairs: [term: string, description: string][]) => formatItems(pairs, help);
  const isRoot = command.parent === null;
  const sections: [title: string, body: string][] = [
    ["Examples", extra.examples.map((line) => `${gutter}$ larder ${line}`).join("\n")],
    [
      "Arguments",
      items(help.visibleArguments(command).map((argument) => [help.argumentTerm(argument), help.argumentDescription(argument)])),
    ],
    ["Commands", items(help.visibleCommands(command).map((sub) => [usageOf(sub), sub.summary() || sub.description()]))],
    [
      isRoot ? "Options of every command" : "Options",
      items(help.visibleOptions(command).map((option) => [option.flags, help.optionDescription(option)])),
    ],
    [
      "Options of every command",
      items(help.visibleGlobalOptions(command).map((option) => [option.flags, help.optionDescription(option)])),
    ],
  ];
  return [
    `Usage: ${help.commandUsage(command)}`,
    help.boxWrap(command.description(), widthOf(help)),
    ...sections.filter(([, body]) => body !== "").map(([title, body]) => `${title}:\n${body}`),
    ...(extra.epilogue === undefined ? [] : [extra.epilogue]),
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}

const widthOf = (help: Help): number => help.helpWidth ?? 80;

const namesShown = 5;

/** `add <package...>`; of a group, what is in it: `hosts list|enrol|revoke`. */
function usageOf(command: Command): string {
  const names = command.commands.map((sub) => sub.name());
  if (names.length > 0)
    return `${command.name()} ${[...names.slice(0, namesShown), ...(names.length > namesShown ? ["…"] : [])].join("|")}`;
  const args = command.registeredArguments.map((argument) => `<${argument.name()}${argument.variadic ? "..." : ""}>`);
  return [command.name(), ...args].join(" ");
}

function formatItems(pairs: [term: string, description: string][], help: Help): string {
  const width = Math.max(0, ...pairs.map(([term]) => term.length));
  const indent = " ".repeat(gutter.length + width + gutter.length);
  return pairs
    .map(([term, description]) => {
      const text = help.boxWrap(description, widthOf(help) - indent.length).replaceAll("\n", `\n${indent}`);
      return gutter + term.padEnd(width) + gutter + text;
    })
    .join("\n");
}
