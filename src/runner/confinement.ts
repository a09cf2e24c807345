import type { Confinement } from "../contract/index.ts";
import type { Holding } from "./launch.ts";

/** What a run's result says of how it was held. */
export const confinementOf = (holding: Holding): Confinement => ({
  processes: holding,
  treeReadOnly: holding === "namespace",
  limits:
    holding === "group"
      ? ["timeoutMs", "cpuMs", "fileMb", "files", "outputBytes"]
      : ["timeoutMs", "cpuMs", "memoryMb", "fileMb", "files", "processes", "outputBytes"],
});
