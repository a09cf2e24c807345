import { rm } from "node:fs/promises";
import { join } from "node:path";
import { exitCodeOf } from "../../contract/index.ts";
import type { VerifyReport } from "../../host/index.ts";
import { defineCommand, type Page } from "../command.ts";
import { openExistingStore } from "../local-store.ts";
import { openProgressLine } from "../render/progress.ts";
import { count, formatBytes } from "../render/quantity.ts";
import { renderTable } from "../render/table.ts";

export const verify = defineCommand({
  name: "verify",
  summary: "Check every file of this host's packages",
  description:
    "Reads the host store in the data directory; no server is needed. Ends with exit code 7 when something is damaged: the host's agent makes that anew when it starts the next time.",
  examples: ["verify", "verify --data-dir /var/lib/larder --json"],
  settings: ["platform"],
  async run(context) {
    const { verifyStore } = await import("../../host/index.ts");
    await using store = await openExistingStore(context);
    using line = openProgressLine(context.terminal);
    const report = await verifyStore(store, { signal: context.terminal.signal, onProgress: line.update });
    // Without this mark, an agent that starts checks the store, and makes what is damaged anew.
    if (!report.intact) await rm(join(store.layout.state, "verified-boot"), { force: true });
    return {
      json: report,
      exitCode: report.intact ? 0 : exitCodeOf("E_TREE_DAMAGED"),
      text: (page) => renderReport(report, store.directory, page),
    };
  },
});

const problemsShown = 50;

function renderReport(report: VerifyReport, directory: string, page: Page): string {
  const { bold, green, red, dim } = page.style;
  const checked = `${count(report.packages, "package")} in ${count(report.trees, "tree")}, ${count(report.files, "file")}, ${formatBytes(report.bytes)}`;
  if (report.trees === 0 && report.intact) return `There is nothing to check in ${directory}: no generation was built here yet.`;
  if (report.intact) return `${green("✔")} Intact: ${checked}`;
  const { problems, damaged } = report;
  const table = renderTable(
    [{ title: "problem" }, { title: "of", shrinkTo: 12 }, { title: "path", shrinkTo: 20 }],
    problems.slice(0, problemsShown).map(({ kind, subject, path }) => [{ text: kind, paint: "red" }, subject, path]),
    page,
  );
  return [
    table,
    ...(problems.length > problemsShown ? [dim(`… and ${problems.length - problemsShown} more, all in --json`)] : []),
    "",
    `${red(bold(`${count(problems.length, "problem")} in ${count(damaged.packages.length, "package")} and ${count(damaged.trees.length, "tree")}`))} of ${checked}.`,
    `${page.style.cyan("hint:")} Find out what wrote there, then restart this host's agent (larder up, larder agent): it makes them anew.`,
  ].join("\n");
}
