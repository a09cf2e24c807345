import type { Generation } from "../../contract/index.ts";
import { defineCommand, type Page } from "../command.ts";
import { connect } from "../connection.ts";
import { parseCount } from "../option-values.ts";
import { formatAgo, formatBytes, shortHash } from "../render/quantity.ts";
import { type Cell, renderTable } from "../render/table.ts";

export const generations = defineCommand<[], { limit: number; before?: number }>({
  description:
    "CHANGED counts packages against the generation before: added, changed, removed. NEW is what a host fetches for it at most.",
  examples: ["generations", "generations --limit 5", "generations --json | jq '.[0].packages'"],
  configure: (command) =>
    void command
      .option("--limit <n>", "how many at most", parseCount("--limit", 1000), 20)
      .option("--before <generation>", "only those with a lower number", parseCount("--before")),
  async run(context, _args, { limit, before }) {
    const { client } = await connect(context);
    const { environment } = context.settings;
    const query = { environment, limit, ...(before === undefined ? {} : { after: before }) };
    const { items: found } = await client.generations.list(query);
    return {
      json: found,
      text: (page) =>
        found.length === 0
          ? `${environment} has no ${before === undefined ? "" : "older "}generation. Put packages on the allowlist (larder add NAME), then: larder install`
          : renderGenerations(found, page),
    };
  },
});

export const note = defineCommand<[generation: number, text: string[]]>({
  examples: ["note 12 last one before the migration", 'note 12 ""'],
  args: { generation: ["number of the generation", parseCount("GENERATION")], text: "the note; an empty one removes it" },
  async run(context, [number, words]) {
    const { client } = await connect(context);
    const { environment } = context.settings;
    const annotated = await client.generations.annotate({ environment, number, note: words.join(" ") });
    return {
      json: annotated,
      text: annotated.note ? `Generation ${number}: ${annotated.note}` : `Generation ${number} has no note.`,
    };
  },
});

/** How a generation came to be. */
export function originOf({ reason, rollbackOf, promotedFrom }: Generation): string {
  if (rollbackOf !== undefined) return `rollback to ${rollbackOf}`;
  return promotedFrom === undefined ? reason : `${promotedFrom.environment} ${promotedFrom.number}`;
}

function renderGenerations(found: Generation[], page: Page): string {
  const noted = found.some(({ note: text }) => text !== undefined);
  return renderTable(
    [
      { title: "gen", align: "right" },
      { title: "lockfile" },
      { title: "nodes", align: "right" },
      { title: "changed" },
      { title: "new", align: "right" },
      { title: "made" },
      { title: "by", shrinkTo: 6 },
      { title: "from", shrinkTo: 7 },
      ...(noted ? [{ title: "note", shrinkTo: 8 }] : []),
    ],
    found.map((generation): Cell[] => [
      generation.current ? { text: `* ${generation.number}`, paint: "green" } : String(generation.number),
      shortHash(generation.lockfileHash),
      generation.nodes,
      describeChanges(generation),
      generation.changes === undefined ? "" : formatBytes(generation.changes.addedBytes),
      formatAgo(generation.createdAt),
      generation.createdBy,
      originOf(generation),
      ...(noted ? [generation.note ?? ""] : []),
    ]),
    page,
  );
}

function describeChanges({ changes }: Generation): string {
  if (changes === undefined) return "";
  const { added, changed, removed } = changes;
  const parts = [
    [added, "+"],
    [changed, "~"],
    [removed, "-"],
  ] as const;
  return (
    parts
      .map(([n, mark]) => (n === 0 ? "" : `${mark}${n}`))
      .filter(Boolean)
      .join(" ") || "nothing"
  );
}
