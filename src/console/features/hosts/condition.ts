import type { HostCounts, HostPhase, HostState } from "../../../contract/index.ts";
import type { HostChoice } from "../../api/host-queries.ts";
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

export function conditionOf({ state, phase }: { state: HostState; phase: HostPhase }): Condition {
  if (state === "behind" && phase === "syncing") return "syncing";
  if (state === "current" && phase === "pending") return "pending";
  return state;
}

/** The same, as a question to the server. */
export function choiceOf(condition: Condition): HostChoice {
  switch (condition) {
    case "syncing":
      return { state: "behind", phase: "syncing" };
    case "behind":
      return { state: "behind", phase: ["pending", "ready", "error"] };
    case "pending":
      return { state: "current", phase: "pending" };
    case "current":
      return { state: "current", phase: ["syncing", "ready", "error"] };
    default:
      return { state: condition };
  }
}

export function countsOf({ groups }: HostCounts): { condition: Condition; n: number }[] {
  return conditions.map((condition) => ({
    condition,
    n: groups.reduce((sum, group) => sum + (conditionOf(group) === condition ? group.hosts : 0), 0),
  }));
}
