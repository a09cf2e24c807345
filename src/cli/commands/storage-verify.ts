import type { AuditResult } from "../../contract/index.ts";
import { defineCommand, type Page } from "../command.ts";
import { connect } from "../connection.ts";
import { followOperation } from "../follow-operation.ts";
import { parallelOption, parseAge, rateOption } from "../option-values.ts";
import { openProgressLine } from "../render/progress.ts";
import { count, formatBytes, formatDuration } from "../render/quantity.ts";
import { shortId } from "../short-id.ts";

interface Options {
  wait: boolean;
  parallel?: number;
  rate?: number;
  maxAge?: number;
}

export const storageVerify = defineCommand<[], Options>({
  description:
    "What is damaged or missing is put back from another store or from the registry; what cannot be is listed, and the exit code is 7. An interrupted one goes " +
    "on by itself; after a cancelled one, --max-age leaves out what was verified already.",
  examples: ["storage verify", "storage verify --rate 10MB", "storage verify --max-age 7d --no-wait"],
  configure: (command) =>
    void command
      .option("--no-wait", "return as soon as it is queued")
      .option("--max-age <time>", "leave out blobs that were verified within this time, such as 7d", parseAge("--max-age"))
      .addOption(parallelOption())
      .addOption(rateOption("read at most so much per second, such as 10MB")),
  async run(context, _args, { wait, parallel, rate, maxAge }) {
    const { client } = await connect(context);
    const started = await client.storage.verify({
      ...(parallel === undefined ? {} : { parallel }),
      ...(rate === undefined ? {} : { bytesPerSecond: rate }),
      ...(maxAge === undefined ? {} : { maxAgeMs: maxAge }),
    });
    const { operation, joined } = started;
    if (!wait) return { json: started, text: `The verification ${shortId(operation.id)} is queued. See: larder operations list` };
    using line = openProgressLine(context.terminal);
    if (joined) line.note("A verification is under way already; watching that one.");
    const { signal } = context.terminal;
    const ended = await followOperation(client, operation, { signal, onProgress: line.update, note: line.note });
    const { result } = ended;
    return {
      json: ended,
      text: (page) => (result ? describeResult(result, page) : "Done."),
      exitCode: (result?.broken ?? 0) > 0 ? 7 : 0,
    };
  },
});

function describeResult({ checked, checkedBytes, repaired, broken, troubles, durationMs }: AuditResult, { style }: Page): string {
  const mark = broken > 0 ? style.red("✘") : style.green("✔");
  const rate = durationMs > 0 ? ` (${formatBytes((checkedBytes / durationMs) * 1000)}/s)` : "";
  return [
    `${mark} ${count(checked, "blob")} read, ${formatBytes(checkedBytes)} in ${formatDuration(durationMs)}${rate}; ${repaired} mended, ${broken} broken`,
    ...troubles.map(
      ({ blob, store, packages, message }) =>
        `  ${packages[0] ?? `${blob.slice(0, 16)}…`} ${style.dim(`in ${store}:`)} ${message}`,
    ),
  ].join("\n");
}
