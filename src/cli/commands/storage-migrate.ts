import type { MigratePlan, MigrateResult } from "../../contract/index.ts";
import { type CommandContext, defineCommand, type Outcome, type Page } from "../command.ts";
import { connect } from "../connection.ts";
import { followOperation } from "../follow-operation.ts";
import type { LarderClient } from "../larder-client.ts";
import { parallelOption, rateOption } from "../option-values.ts";
import { openProgressLine } from "../render/progress.ts";
import { count, formatBytes, formatDuration } from "../render/quantity.ts";
import { shortId } from "../short-id.ts";

interface Limits {
  wait: boolean;
  parallel?: number;
  rate?: number;
}

export const storageMigrate = defineCommand<[target: string], Limits & { dryRun?: boolean }>({
  description:
    "Every blob is copied, read back from the target and hashed before its row says that it is there; everything stays readable throughout. Waits until it " +
    "is done; Ctrl-C stops the waiting only. Installs wait meanwhile. Copies in the old store are left to `larder collect`.",
  examples: ["storage migrate s3", "storage migrate s3 --dry-run", "storage migrate postgres --rate 20MB --parallel 2 --no-wait"],
  args: { target: "the store to move to: fs, postgres or s3, as the server was told" },
  configure: (command) =>
    void command
      .option("--dry-run", "say what would be moved, and move nothing")
      .option("--no-wait", "return as soon as it is queued")
      .addOption(parallelOption())
      .addOption(rateOption("copy at most so much per second, such as 20MB")),
  async run(context, [target], { dryRun, wait, ...limits }) {
    const { client } = await connect(context);
    if (dryRun) {
      const plan = await client.storage.planMigration({ target });
      return { json: plan, text: describePlan(plan) };
    }
    const started = await client.storage.migrate({ target, ...limitsOf(limits) });
    return await follow(context, client, { started, wait });
  },
});

export const storageResume = defineCommand<[], Limits>({
  description: "A migration whose server died goes on by itself.",
  examples: ["storage resume", "storage resume --rate 5MB"],
  configure: (command) =>
    void command
      .option("--no-wait", "return as soon as it is queued")
      .addOption(parallelOption())
      .addOption(rateOption("copy at most so much per second, such as 20MB")),
  async run(context, _args, { wait, ...limits }) {
    const { client } = await connect(context);
    return await follow(context, client, { started: await client.storage.resumeMigration(limitsOf(limits)), wait });
  },
});

export const storageCancel = defineCommand({
  description: "What was moved stays where it is, and everything is readable. `larder storage resume` goes on.",
  examples: ["storage cancel"],
  async run(context) {
    const { client } = await connect(context);
    const operation = await client.storage.cancelMigration();
    const done = operation.state === "cancelled" ? "was cancelled" : "stops with the blobs that it is on";
    return { json: operation, text: `The migration to ${operation.input.target} ${done}. Go on with: larder storage resume` };
  },
});

const limitsOf = ({ parallel, rate }: Pick<Limits, "parallel" | "rate">) => ({
  ...(parallel === undefined ? {} : { parallel }),
  ...(rate === undefined ? {} : { bytesPerSecond: rate }),
});

type StartedMigration = Awaited<ReturnType<LarderClient["storage"]["migrate"]>>;

async function follow(
  { terminal }: CommandContext,
  client: LarderClient,
  { started, wait }: { started: StartedMigration; wait: boolean },
): Promise<Outcome> {
  const { operation, joined } = started;
  const { target } = operation.input;
  if (!wait) {
    const state = joined ? "is under way already" : "is queued";
    return { json: started, text: `The migration to ${target} ${state} (${shortId(operation.id)}). See: larder storage status` };
  }
  using line = openProgressLine(terminal);
  if (joined) line.note(`A migration to ${target} is under way already, by ${operation.requestedBy}; watching that one.`);
  const ended = await followOperation(client, operation, { signal: terminal.signal, onProgress: line.update, note: line.note });
  return { json: ended, text: (page) => (ended.result ? describeResult(ended.result, page) : "Done.") };
}

function describeResult(
  { target, blobs, bytes, copied, copiedBytes, alreadyThere, durationMs }: MigrateResult,
  { style }: Page,
): string {
  const all = `${count(blobs, "blob")}, ${formatBytes(bytes)}`;
  if (copied + alreadyThere === 0) return `${style.green("✔")} Nothing to move: ${target} is active and has all of it (${all}).`;
  const rate = durationMs > 0 ? `, ${formatBytes((copiedBytes / durationMs) * 1000)}/s` : "";
  return [
    `${style.green("✔")} ${style.bold(target)} is the active store and has all of it: ${all}`,
    style.dim(
      `copied ${count(copied, "blob")}, ${formatBytes(copiedBytes)}${alreadyThere > 0 ? `; ${alreadyThere} were there already` : ""} · took ${formatDuration(durationMs)}${rate}`,
    ),
  ].join("\n");
}

function describePlan({ active, target, blobs, toMove, bytesToMove, from, needed }: MigratePlan): string {
  if (!needed) return `Nothing to do: ${target} is the active store and has all ${count(blobs, "blob")}.`;
  const sources = from.map(({ store, blobs }) => `${blobs} from ${store}`).join(", ");
  const move =
    toMove === 0
      ? "No blob would be moved"
      : `${count(toMove, "blob")} (${sources}), ${formatBytes(bytesToMove)}, would be moved to ${target}`;
  return `${move}; then ${target} ${active === target ? "stays" : `replaces ${active} as`} the active store. Nothing was changed.`;
}
