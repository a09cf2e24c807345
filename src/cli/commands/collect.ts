import type { CollectPlan, CollectResult } from "../../contract/index.ts";
import { defineCommand, type Page } from "../command.ts";
import { connect } from "../connection.ts";
import { followOperation } from "../follow-operation.ts";
import { parseAge, parseWhole } from "../option-values.ts";
import { openProgressLine } from "../render/progress.ts";
import { count, formatBytes, formatDuration } from "../render/quantity.ts";
import { shortId } from "../short-id.ts";

interface Options {
  dryRun?: boolean;
  grace?: number;
  keep?: number;
  wait: boolean;
}

export const collect = defineCommand<[], Options>({
  description:
    "Kept is what the current generation of any environment needs, what those before it need (--keep), and what any host last reported. The grace counts from when " +
    "something stopped being referred to. Servers collect by themselves every six hours (the setting collect-every).",
  examples: ["collect --dry-run", "collect", "collect --grace 0 --keep 0"],
  configure: (command) =>
    void command
      .option("--dry-run", "say what would be deleted, and delete nothing")
      .option("--grace <time>", "leave what was referred to within this time (default: 24h)", parseAge("--grace"))
      .option("--keep <n>", "generations to keep besides the current one (default: 1)", parseWhole("--keep"))
      .option("--no-wait", "return as soon as it is queued"),
  async run(context, _args, { dryRun, grace, keep, wait }) {
    const { client } = await connect(context);
    const input = { ...(grace === undefined ? {} : { graceMs: grace }), ...(keep === undefined ? {} : { keep }) };
    if (dryRun) {
      const plan = await client.storage.planCollection(input);
      return { json: plan, text: describePlan(plan) };
    }
    const started = await client.storage.collect(input);
    const { operation, joined } = started;
    if (!wait) return { json: started, text: `The collection ${shortId(operation.id)} is queued. See: larder storage status` };
    using line = openProgressLine(context.terminal);
    if (joined) line.note("A collection is under way already; watching that one.");
    const { signal } = context.terminal;
    const ended = await followOperation(client, operation, { signal, onProgress: line.update, note: line.note });
    return { json: ended, text: (page) => (ended.result ? describeResult(ended.result, page) : "Done.") };
  },
});

const describeKept = ({ blobs, bytes }: CollectPlan["keptWithinGrace"]): string =>
  `${count(blobs, "blob")}, ${formatBytes(bytes)}, kept within grace`;

function describeResult(result: CollectResult, { style }: Page): string {
  const {
    deleted,
    strays,
    keptWithinGrace,
    manifests,
    revived,
    failed,
    failures,
    reclaimedBytes,
    reclaimedTotalBytes,
    durationMs,
  } = result;
  return [
    `${style.green("✔")} ${style.bold(`${formatBytes(reclaimedBytes)} reclaimed`)}: ${count(deleted.blobs, "blob")}, ${count(strays.blobs, "stray copy", "stray copies")}; ${describeKept(keptWithinGrace)}`,
    ...(manifests > 0 ? [`  ${count(manifests, "older resolution")} can no longer be rolled back to`] : []),
    ...(revived > 0 ? [`  ${revived} wanted again, and kept`] : []),
    ...(failed > 0 ? [style.yellow(`  ${failed} could not be deleted; the next collection tries again`)] : []),
    ...failures.slice(0, 5).map(({ blob, store, message }) => `  ${store}${blob ? ` ${blob.slice(0, 16)}…` : ""}: ${message}`),
    style.dim(`${formatBytes(reclaimedTotalBytes)} reclaimed so far · took ${formatDuration(durationMs)}`),
  ].join("\n");
}

const describePlan = ({ deleted, strays, manifests, keptWithinGrace }: CollectPlan): string =>
  `${formatBytes(deleted.bytes + strays.bytes)} would be reclaimed: ${count(deleted.blobs, "blob")}, ${count(strays.blobs, "stray copy", "stray copies")}, ` +
  `${count(manifests, "older resolution")}; ${describeKept(keptWithinGrace)}. Nothing was changed.`;
