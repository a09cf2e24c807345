import { formatPlatform, type Host } from "../../contract/index.ts";
import type { Page } from "../command.ts";
import { describeProgress } from "./progress.ts";
import { formatAgo } from "./quantity.ts";
import type { Style } from "./style.ts";
import { type Cell, renderTable } from "./table.ts";
import { plain, wrap } from "./text.ts";

const paints: Record<Host["phase"], keyof Style> = { ready: "green", syncing: "cyan", pending: "yellow", error: "red" };

/** The hosts as a table, what those under way are doing, and the errors of those that have one. */
export function renderHosts(hosts: Host[], desired: (host: Host) => number, page: Page): string {
  const environments = new Set(hosts.map((host) => host.environment)).size;
  const table = renderTable(
    [
      { title: "host", shrinkTo: 10 },
      ...(environments > 1 ? [{ title: "environment", shrinkTo: 8 }] : []),
      { title: "phase" },
      { title: "gen", align: "right" },
      { title: "lag", align: "right" },
      { title: "runs", align: "right" },
      { title: "seen" },
      { title: "platform", shrinkTo: 8 },
    ],
    hosts.map((host): Cell[] => [
      host.id,
      ...(environments > 1 ? [host.environment] : []),
      { text: host.phase, paint: paints[host.phase] },
      host.generation === 0 ? "–" : host.generation,
      lagOf(host, desired(host)),
      host.runsInFlight,
      formatAgo(host.lastSeenAt),
      host.platform ? formatPlatform(host.platform) : "",
    ]),
    page,
  );
  const notes = hosts.flatMap((host) => noteOn(host, page));
  return [table, ...notes].join("\n");
}

/** How many generations behind. Numbers only grow, so that this is a count of steps, not of time. */
function lagOf(host: Host, desired: number): Cell {
  const lag = desired - host.generation;
  return lag > 0 ? { text: String(lag), paint: "yellow" } : "0";
}

function noteOn(host: Host, { columns, style }: Page): string[] {
  if (host.error) {
    const message = plain(`${host.id}: ${host.error.code}: ${host.error.message}${host.error.hint ? ` ${host.error.hint}` : ""}`);
    return [style.red(wrap(message, columns - 2, "  "))];
  }
  return host.phase === "syncing" && host.progress ? [style.cyan(plain(`${host.id}: ${describeProgress(host.progress)}`))] : [];
}
