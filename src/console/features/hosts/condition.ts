import type { Host } from "../../../contract/index.ts";
import type { Tone } from "../../ui/badge.tsx";

/** What one wants to know of a host first: the worst that holds. */
export const conditions = ["failing", "silent", "behind", "syncing", "pending", "current"] as const;
export type Condition = (typeof conditions)[number];

export const conditionTones: Record<Condition, Tone> = {
  failing: "bad",
  silent: "warn",
  behind: "warn",
  syncing: "info",
  pending: "none",
  current: "good",
};

export const conditionTexts: Record<Condition, string> = {
  failing: "Failing",
  silent: "Silent",
  behind: "Behind",
  syncing: "Syncing",
  pending: "Pending",
  current: "Current",
};

/** Agents report at least this often. */
const silentAfterMs = 150_000;

export function conditionOf(host: Host, wanted: number, now = Date.now()): Condition {
  if (host.phase === "error") return "failing";
  if (host.lastSeenAt === undefined) return "pending";
  if (now - Date.parse(host.lastSeenAt) > silentAfterMs) return "silent";
  if (host.phase === "syncing") return "syncing";
  if (host.generation < wanted) return "behind";
  return host.phase === "ready" || host.generation === wanted ? "current" : "pending";
}
