import type { Generation } from "../../contract/index.ts";
import { defineCommand, type Page } from "../command.ts";
import { connect } from "../connection.ts";
import { parseCount } from "../option-values.ts";
import { formatAgo, shortHash } from "../render/quantity.ts";
import { type Cell, renderTable } from "../render/table.ts";

export const generations = defineCommand<[], { limit: number }>({
  name: "generations",
  summary: "Show the generations of an environment, newest first",
  examples: ["generations", "generations --limit 5", "generations --json | jq '.[0].packages'"],
  configure: (command) => void command.option("--limit <n>", "how many at most", parseCount("--limit", 1000), 20),
  async run(context, _args, { limit }) {
    const { client } = await connect(context);
    const { environment } = context.settings;
    const found = await client.generations.list({ environment, limit });
    return {
      json: found,
      text: (page) =>
        found.length === 0
          ? `${environment} has no generation. Put packages on the allowlist (larder add NAME), then: larder install`
          : renderGenerations(found, page),
    };
  },
});

const renderGenerations = (found: Generation[], page: Page): string =>
  renderTable(
    [
      { title: "gen", align: "right" },
      { title: "lockfile" },
      { title: "packages", align: "right" },
      { title: "nodes", align: "right" },
      { title: "made" },
      { title: "by", shrinkTo: 8 },
      { title: "from", shrinkTo: 7 },
    ],
    found.map((generation): Cell[] => [
      generation.current ? { text: `* ${generation.number}`, paint: "green" } : String(generation.number),
      shortHash(generation.lockfileHash),
      generation.packages.length,
      generation.nodes,
      formatAgo(generation.createdAt),
      generation.createdBy,
      generation.rollbackOf === undefined ? generation.reason : `rollback to ${generation.rollbackOf}`,
    ]),
    page,
  );
