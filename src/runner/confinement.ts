import type { Confinement } from "../contract/for-hosts.ts";
import type { Hold } from "./process-limit.ts";

/** What a run's result says of how it was held. */
export const confinementOf = ({ holding, processLimit }: Hold): Confinement => ({
  processes: holding,
  processLimit,
  treeReadOnly: holding === "namespace",
  limits:
    holding === "group"
      ? ["timeoutMs", "cpuMs", "fileMb", "files", "outputBytes"]
      : ["timeoutMs", "cpuMs", "memoryMb", "fileMb", "files", "processes", "outputBytes"],
});
