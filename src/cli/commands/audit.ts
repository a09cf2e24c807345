import { type AuditRecord, LarderError } from "../../contract/index.ts";
import { defineCommand, type Page } from "../command.ts";
import { connect } from "../connection.ts";
import { parseAge, parseCount } from "../option-values.ts";
import { formatAgo } from "../render/quantity.ts";
import { renderTable } from "../render/table.ts";

interface AuditOptions {
  actor?: string;
  action?: string;
  target?: string;
  since?: string;
  until?: string;
  limit: number;
  before?: number;
}

export const audit = defineCommand<[], AuditOptions>({
  description: "Every change that was asked for has one row, written in the change's own transaction.",
  examples: [
    "audit --since 7d",
    "audit --actor alice --action package",
    "audit --target default/lodash",
    "audit --limit 1000 --json | jq -r '.records[].action'",
  ],
  configure: (command) =>
    void command
      .option("--actor <who>", "only by this token's subject")
      .option("--action <what>", "only this: package.add, or package for all of package.…")
      .option("--target <what>", "only on this: default/lodash, or default for all of default/…")
      .option("--since <time>", "not before: 7d, 12h, or 2026-01-31T12:00:00Z", parseMoment("--since"))
      .option("--until <time>", "before: 1h, or 2026-01-31", parseMoment("--until"))
      .option("--limit <n>", "how many at most", parseCount("--limit", 1000), 50)
      .option("--before <id>", "the page after: `next` of the one before", parseCount("--before")),
  async run(context, _args, query) {
    const { client } = await connect(context);
    const { before, ...rest } = query;
    const { items, next } = await client.audit.list({ ...rest, ...(before === undefined ? {} : { after: before }) });
    const found = { records: items, ...(next === undefined ? {} : { next }) };
    return { json: found, text: (page) => renderAudit(found, page) };
  },
});

/** An age, counted from now, or a date. */
function parseMoment(name: string): (text: string) => string {
  return (text) => {
    if (!/^\d{4}-\d\d-\d\d/.test(text)) return new Date(Date.now() - parseAge(name)(text)).toISOString();
    const time = Date.parse(text);
    if (!Number.isNaN(time)) return new Date(time).toISOString();
    throw new LarderError("E_INPUT", `${name} is ${JSON.stringify(text)}, not a time.`, {
      hint: "Give an age such as 7d or 12h, or a time such as 2026-01-31T12:00:00Z.",
    });
  };
}

function renderAudit({ records, next }: { records: AuditRecord[]; next?: number | undefined }, page: Page): string {
  if (records.length === 0) return "No change matches.";
  const table = renderTable(
    [
      { title: "id", align: "right" },
      { title: "when" },
      { title: "who", shrinkTo: 6 },
      { title: "what" },
      { title: "on", shrinkTo: 10 },
      { title: "details", shrinkTo: 10 },
    ],
    records.map(({ id, at, actor, action, target, details }) => [
      id,
      formatAgo(at),
      actor,
      action,
      target,
      details === undefined ? "" : describeDetails(details),
    ]),
    page,
  );
  return next === undefined ? table : `${table}\n${page.style.dim(`Older: larder audit --before ${next}`)}`;
}

const describeDetails = (details: Record<string, unknown>): string =>
  Object.entries(details)
    .map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
