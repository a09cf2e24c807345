import { environmentOf, type Operation } from "../../contract/index.ts";
import { defineCommand, type Page } from "../command.ts";
import { connect } from "../connection.ts";
import { parseCount } from "../option-values.ts";
import { describeProgress } from "../render/progress.ts";
import { count, formatAgo, formatBytes, formatDuration } from "../render/quantity.ts";
import type { Style } from "../render/style.ts";
import { type Cell, renderTable } from "../render/table.ts";
import { completeId, shortId } from "../short-id.ts";

export const operationsList = defineCommand<[], { limit: number }>({
  examples: ["operations list", "operations list --limit 5"],
  configure: (command) => void command.option("--limit <n>", "how many at most", parseCount("--limit", 200), 20),
  async run(context, _args, { limit }) {
    const { client } = await connect(context);
    const { items: operations } = await client.operations.list({ limit });
    return {
      json: operations,
      text: (page) =>
        operations.length === 0 ? "Nothing was done yet. Start with: larder install" : renderOperations(operations, page),
    };
  },
});

export const operationsCancel = defineCommand<[id: string]>({
  description: "A cancelled install changes nothing that hosts see.",
  examples: ["operations cancel op-1f2e3d4c"],
  args: { id: "id of the operation or its beginning, see `larder operations list`" },
  async run(context, [given]) {
    const { client } = await connect(context);
    const id = completeId(
      given,
      (await client.operations.list({ limit: 200 })).items.map((operation) => operation.id),
    );
    const operation = await client.operations.cancel({ id });
    const done =
      operation.state === "cancelled"
        ? "was cancelled"
        : operation.state === "running"
          ? "stops at its next step"
          : `is over: it ${describeEnd(operation.state)}`;
    return { json: operation, text: `The ${operation.kind} ${shortId(operation.id)} ${done}.` };
  },
});

const describeEnd = (state: Operation["state"]): string => (state === "succeeded" || state === "failed" ? state : `was ${state}`);

const paints: Record<Operation["state"], keyof Style> = {
  queued: "yellow",
  running: "cyan",
  succeeded: "green",
  failed: "red",
  cancelled: "yellow",
  interrupted: "yellow",
  fenced: "yellow",
};

function renderOperations(operations: Operation[], page: Page): string {
  const several = new Set(operations.map(environmentOf).filter(Boolean)).size > 1;
  return renderTable(
    [
      { title: "id" },
      { title: "kind" },
      ...(several ? [{ title: "environment", shrinkTo: 7 }] : []),
      { title: "state" },
      { title: "begun" },
      { title: "took", align: "right" },
      { title: "outcome", shrinkTo: 10 },
    ],
    operations.map((operation): Cell[] => [
      shortId(operation.id),
      operation.kind,
      ...(several ? [environmentOf(operation) ?? ""] : []),
      { text: operation.state, paint: paints[operation.state] },
      formatAgo(operation.startedAt ?? operation.createdAt),
      operation.startedAt && operation.endedAt
        ? formatDuration(Date.parse(operation.endedAt) - Date.parse(operation.startedAt))
        : "",
      outcomeOf(operation),
    ]),
    page,
  );
}

function outcomeOf(operation: Operation): string {
  const { error, progress, state } = operation;
  if (error) return `${error.code}: ${error.message}`;
  return describeResult(operation) ?? (state === "running" && progress ? describeProgress(progress) : "");
}

function describeResult({ kind, result }: Operation): string | undefined {
  if (result === undefined) return undefined;
  switch (kind) {
    case "install":
      return result.changed ? `generation ${result.generation}` : `generation ${result.generation}, unchanged`;
    case "stock":
      return `${count(result.fetched, "blob")} for ${result.platforms.join(", ")}`;
    case "migrate":
      return `${count(result.copied, "blob")} to ${result.target}`;
    case "collect":
      return `${formatBytes(result.reclaimedBytes)} reclaimed`;
    case "audit":
      return `${count(result.checked, "blob")}, ${result.repaired} repaired, ${result.broken} broken`;
  }
}
