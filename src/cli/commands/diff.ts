import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { parseCount } from "../option-values.ts";
import { renderChanges } from "../render/changes.ts";

export const diff = defineCommand<[from: number, to: number]>({
  name: "diff",
  summary: "Show what changed between two generations",
  examples: ["diff 3 4", "diff 4 3 --json"],
  configure: (command) =>
    void command.argument("<a>", "generation", parseCount("A")).argument("<b>", "generation", parseCount("B")),
  async run(context, [from, to]) {
    const { client } = await connect(context);
    const found = await client.generations.diff({ environment: context.settings.environment, from, to });
    return {
      json: found,
      text: (page) =>
        found.changes.length === 0
          ? `Generations ${from} and ${to} hold the same packages.`
          : `${page.style.bold(`Generation ${from} → ${to}`)}\n${renderChanges(found, page)}`,
    };
  },
});
