import type { AgentOptions } from "../agent/index.ts";
import type { SettingName } from "./settings.ts";
import type { Settings } from "./settings-schema.ts";

/** What can be set about a host's agent, wherever it runs. */
export const hostSettings: SettingName[] = ["pollInterval", "treeGrace", "storeQuota", "scrubRate", "allowRuns"];

export const agentTimes = ({
  pollInterval,
  treeGrace,
  storeQuota,
  scrubRate,
}: Settings): Pick<AgentOptions, "pollMs" | "sweep" | "scrubBytesPerSecond"> => ({
  pollMs: pollInterval,
  sweep: { graceMs: treeGrace, ...(storeQuota === undefined ? {} : { quotaBytes: storeQuota }) },
  scrubBytesPerSecond: scrubRate,
});
