import { formatPlatform } from "../../contract/for-hosts.ts";
import type { Host } from "../../contract/index.ts";
import type { Page } from "../command.ts";
import { describeProgress } from "./progress.ts";
import { formatAgo } from "./quantity.ts";
import type { Style } from "./style.ts";
import { type Cell, renderTable } from "./table.ts";
import { plain, wrap } from "./text.ts";

/** The hosts as a table, what those under way are doing, and what is wrong with those that are not as they should be. */
export function renderHosts(hosts: Host[], page: Page): string {
  const environments = new Set(hosts.map((host) => host.environment)).size;
  const table = renderTable(
    [
      { title: "host", shrinkTo: 10 },
      ...(environments > 1 ? [{ title: "environment", shrinkTo: 8 }] : []),
      { title: "state" },
      { title: "gen", align: "right" },
      { title: "lag", align: "right" },
      { title: "since" },
      { title: "runs", align: "right" },
      { title: "seen" },
      { title: "platform", shrinkTo: 8 },
    ],
    hosts.map((host): Cell[] => [
      host.id,
      ...(environments > 1 ? [host.environment] : []),
      stateOf(host),
      host.generation === 0 ? "–" : host.generation,
      host.lag > 0 ? { text: String(host.lag), paint: "yellow" } : "0",
      host.since === undefined ? "" : formatAgo(host.since),
      host.runsInFlight,
      formatAgo(host.lastSeenAt),
      host.platform ? formatPlatform(host.platform) : "",
    ]),
    page,
  );
  const notes = hosts.flatMap((host) => noteOn(host, page));
  return [table, ...notes].join("\n");
}

const paints: Record<Host["state"], keyof Style> = {
  current: "green",
  behind: "yellow",
  silent: "yellow",
  failing: "red",
  ahead: "red",
  cloned: "red",
};

/** In the words of a person: one that is behind and at it is `syncing`, one with nothing to serve yet `pending`. */
export function stateOf({ state, phase, generation }: Host): { text: string; paint: keyof Style } {
  if (state === "behind" && phase === "syncing") return { text: "syncing", paint: "cyan" };
  if (state === "current" && generation === 0) return { text: "pending", paint: "yellow" };
  return { text: state, paint: paints[state] };
}

function noteOn(host: Host, { columns, style }: Page): string[] {
  if (host.phase === "syncing" && host.progress && host.state === "behind") {
    return [style.cyan(plain(`${host.id}: ${describeProgress(host.progress)}`))];
  }
  if (host.state === "current" || host.reason === undefined) return [];
  const hint = host.state === "failing" && host.error?.hint ? ` ${host.error.hint}` : "";
  return [style[paints[host.state]](wrap(plain(`${host.id}: ${host.reason}${hint}`), columns - 2, "  "))];
}
