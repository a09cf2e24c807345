import type { Host } from "../../../contract/index.ts";
import type { Tone } from "../../ui/badge.tsx";

/** What one wants to know of a host first: the control plane's word, the worst that holds, and whether it is on its way. */
export const conditions = ["cloned", "ahead", "failing", "silent", "behind", "syncing", "pending", "current"] as const;
export type Condition = (typeof conditions)[number];

export const conditionTones: Record<Condition, Tone> = {
  cloned: "bad",
  ahead: "bad",
  failing: "bad",
  silent: "warn",
  behind: "warn",
  syncing: "info",
  pending: "none",
  current: "good",
};

export const conditionTexts: Record<Condition, string> = {
  cloned: "Cloned",
  ahead: "Ahead",
  failing: "Failing",
  silent: "Silent",
  behind: "Behind",
  syncing: "Syncing",
  pending: "Pending",
  current: "Current",
};

export function conditionOf({ state, phase }: Host): Condition {
  if (state === "behind" && phase === "syncing") return "syncing";
  if (state === "current" && phase === "pending") return "pending";
  return state;
}
