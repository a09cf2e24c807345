import { type GenerationDiff, hasCode, type InstallResult, installPhases, LarderError } from "../contract/index.ts";
import type { CommandContext, Page } from "./command.ts";
import { followOperation } from "./follow-operation.ts";
import type { LarderClient } from "./larder-client.ts";
import { renderChanges } from "./render/changes.ts";
import { describeLeftOut } from "./render/left-out.ts";
import { openProgressLine } from "./render/progress.ts";
import { count, formatBytes, formatDuration, shortHash } from "./render/quantity.ts";
import { plain, truncate } from "./render/text.ts";
import { shortId } from "./short-id.ts";
import { type Convergence, waitForHosts } from "./wait-hosts.ts";

/** `InstallResult` and what else there is to tell. */
export interface Installed extends InstallResult {
  operationId: string;
  /** True when an install was under way already, and this call only watched it. */
  joined: boolean;
  /** Against the generation before; absent for the first one. */
  diff?: GenerationDiff;
  /** With `--wait-hosts`. */
  hosts?: Convergence;
}

/** Starts an install, shows its progress on standard error, and waits for it, and for the hosts when asked to. */
export async function installAndFollow(
  { settings, terminal }: CommandContext,
  client: LarderClient,
  waitHosts?: { timeoutMs: number },
): Promise<Installed> {
  const { environment } = settings;
  using line = openProgressLine(terminal);
  const watcher = { signal: terminal.signal, onProgress: line.update, note: line.note };
  const { operation, joined } = await client.installs.start({ environment });
  if (joined)
    line.note(`An install is under way already (${shortId(operation.id)}, by ${operation.requestedBy}); watching that one.`);
  const { id, result } = await followOperation(client, operation, watcher);
  if (!result) throw new LarderError("E_INTERNAL", `The install ${id} succeeded and does not say with what.`);
  const diff = result.changed ? await diffWithPrevious(client, environment, result.generation) : undefined;
  const hosts = waitHosts
    ? await waitForHosts(client, { environment, generation: result.generation, ...waitHosts }, watcher)
    : undefined;
  return { operationId: id, joined, ...result, ...(diff && { diff }), ...(hosts && { hosts }) };
}

async function diffWithPrevious(
  client: LarderClient,
  environment: CommandContext["settings"]["environment"],
  to: number,
): Promise<GenerationDiff | undefined> {
  if (to < 2) return undefined;
  try {
    return await client.generations.diff({ environment, from: to - 1, to });
  } catch (error) {
    // The install is done; what it changed is extra, and an old generation may have been collected.
    if (hasCode(error, "E_NOT_FOUND")) return undefined;
    throw error;
  }
}

const changesShown = 40;

export function renderInstall(installed: Installed, page: Page): string {
  const { bold, green, dim } = page.style;
  const { generation, lockfileHash, nodes, bytes, fetched, fetchedBytes, timingsMs, diff, hosts } = installed;
  const head = installed.changed
    ? `${green("✔")} ${bold(`Generation ${generation}`)} · ${shortHash(lockfileHash)} · ${count(nodes, "package")}, ${formatBytes(bytes)}`
    : `${green("✔")} Nothing changed: ${bold(`generation ${generation}`)} (${shortHash(lockfileHash)}) is what the allowlist resolves to.`;
  const total = Object.values(timingsMs).reduce((sum, ms) => sum + ms, 0);
  const order = (phase: string) => (installPhases as readonly string[]).indexOf(phase);
  const slow = Object.entries(timingsMs)
    .filter(([phase, ms]) => ms >= 1 && phase !== "total")
    .toSorted(([a], [b]) => order(a) - order(b));
  const timings = slow.map(([phase, ms]) => `${phase} ${formatDuration(ms)}`).join(", ");
  return [
    head,
    ...(diff && diff.changes.length > 0 ? [renderChanges(diff, page, changesShown)] : []),
    dim(
      `${fetched === 0 ? "nothing fetched" : `fetched ${count(fetched, "tarball")}, ${formatBytes(fetchedBytes)}`} · took ${formatDuration(timingsMs.total ?? total)}${timings === "" ? "" : ` (${timings})`}`,
    ),
    ...renderWarnings(installed, page),
    ...(hosts ? [renderConvergence(hosts, generation, page)] : []),
  ].join("\n");
}

const warningsShown = 5;

function renderWarnings({ warnings = [] }: Installed, { style, columns }: Page): string[] {
  const shown = warnings.slice(0, warningsShown).map((text) => style.yellow(truncate(`! ${plain(text)}`, columns)));
  const more = warnings.length - shown.length;
  return more > 0 ? [...shown, style.dim(`  … and ${more} more: larder plan`)] : shown;
}

function renderConvergence({ hosts, silent, waitedMs }: Convergence, generation: number, { style }: Page): string {
  const leftOut = describeLeftOut(silent);
  if (hosts === 0) return leftOut ?? "There are no hosts to wait for. Enrol one: larder hosts enrol ID";
  const served = `${style.green("✔")} ${count(hosts, "host serves", "hosts serve")} generation ${generation} ${style.dim(`after ${formatDuration(waitedMs)}`)}`;
  return leftOut === undefined ? served : `${served}\n${style.yellow(`! ${leftOut}`)}`;
}
