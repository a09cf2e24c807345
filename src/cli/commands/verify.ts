import { exitCodeOf, hasCode } from "../../contract/bare.ts";
import type { HostStore, TrustReport, VerifyReport } from "../../host/index.ts";
import { sleep } from "../../lib/bare.ts";
import { type CommandContext, defineCommand, type Page } from "../command.ts";
import { connectAsHost } from "../local-agent.ts";
import { openExistingStore } from "../local-store.ts";
import { openProgressLine } from "../render/progress.ts";
import { count, formatBytes } from "../render/quantity.ts";
import { renderTable } from "../render/table.ts";

export const verify = defineCommand<[], { repair?: boolean }>({
  description:
    "Answers two questions about the host store in the data directory; no server is needed. Intact: is every file what was recorded when it was unpacked? " +
    "Trusted: do the pinned key, the signed desired state, the manifest, the tree and its packages' recorded integrities agree? " +
    "Exit codes: 0 both, 7 not intact, 8 not trusted, 15 neither. What is damaged is made anew by this host's agent at its next look, or at once with --repair.",
  examples: ["verify", "verify --repair", "verify --data-dir /var/lib/larder --json"],
  settings: ["platform"],
  configure: (command) => void command.option("--repair", "fetch what is damaged again, and nothing else"),
  async run(context, _args, { repair = false }) {
    await using store = await openExistingStore(context);
    using line = openProgressLine(context.terminal);
    const look = () => lookAt(store, context, line.update);
    let found = await look();
    let repaired: object | undefined;
    if (repair && !found.intact) {
      repaired = await repairFrom(store, context, found);
      found = await look();
    }
    return {
      json: { ...found, ...(repaired ? { repaired } : {}) },
      // The two codes share no bit.
      exitCode: (found.intact ? 0 : exitCodeOf("E_TREE_DAMAGED")) | (found.trusted ? 0 : exitCodeOf("E_SIGNATURE")),
      text: (page) =>
        [...(repaired ? ["Made anew what was damaged."] : []), ...renderFound(found, store.directory, page)].join("\n"),
    };
  },
});

interface Found extends VerifyReport {
  trusted: boolean;
  trust: TrustReport;
}

async function lookAt(
  store: HostStore,
  { terminal }: CommandContext,
  onProgress: ReturnType<typeof openProgressLine>["update"],
): Promise<Found> {
  const { checkTrust, unsettle, verifyStore } = await import("../../host/index.ts");
  const report = await verifyStore(store, { signal: terminal.signal, onProgress });
  const trust = await checkTrust(store);
  // Runs then look at their tree first, and the agent at everything.
  if (!report.intact) await unsettle(store.layout).catch(() => {});
  return { ...report, trusted: trust.trusted, trust };
}

/** By the agent if one runs here, else by this process. */
async function repairFrom(store: HostStore, context: CommandContext, { damaged }: VerifyReport): Promise<object> {
  const [{ repairStore }, { isSettled, openStoreWriter }] = await Promise.all([
    import("../../agent/index.ts"),
    import("../../host/index.ts"),
  ]);
  const { signal } = context.terminal;
  try {
    await using writer = await openStoreWriter(store, { purpose: "larder verify --repair", signal });
    const { controlPlane } = await connectAsHost(context, store);
    return await repairStore(writer, { controlPlane, damaged, signal });
  } catch (error) {
    if (!hasCode(error, "E_LOCKED")) throw error;
    // Its poll interval, and some time to fetch.
    const deadline = performance.now() + context.settings.pollInterval + 60_000;
    while (!(await isSettled(store.layout))) {
      if (performance.now() > deadline) throw error;
      await sleep(100, signal);
    }
    return { by: "agent" };
  }
}

const problemsShown = 50;

function renderFound(found: Found, directory: string, page: Page): string[] {
  const { green } = page.style;
  if (found.trees === 0 && found.intact) return [`There is nothing to check in ${directory}: no generation was built here yet.`];
  const { generation, packages } = found.trust;
  const signed =
    generation === undefined ? "no tree is served yet" : `generation ${generation} and ${count(packages, "package")} as signed`;
  const trust = found.trusted ? [`${green("✔")} Trusted: ${signed}`] : renderDistrust(found.trust, page);
  return [...renderIntact(found, page), ...trust];
}

function renderIntact(report: VerifyReport, page: Page): string[] {
  const { bold, green, red, dim, cyan } = page.style;
  const checked = `${count(report.packages, "package")} in ${count(report.trees, "tree")}, ${count(report.files, "file")}, ${formatBytes(report.bytes)}`;
  if (report.intact) return [`${green("✔")} Intact: ${checked}`];
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
    `${cyan("hint:")} Find out what wrote there. This host's agent (larder up, larder agent) makes them anew; or run: larder verify --repair`,
  ];
}

function renderDistrust({ problems }: TrustReport, page: Page): string[] {
  const { red, bold, cyan } = page.style;
  return [
    ...problems.slice(0, problemsShown).map(({ link, subject, message }) => `${red("✘")} ${link}: ${subject}: ${message}`),
    red(bold("Not trusted: the chain from the pinned key to the packages is broken.")),
    `${cyan("hint:")} Run: larder reconcile. If that does not mend it, enrol this host anew with an empty data directory.`,
  ];
}
