import { release } from "node:os";
import type { Confinement } from "../contract/for-hosts.ts";
import { type CgroupPlace, findCgroups } from "./find-cgroup.ts";
import type { Holding } from "./launch.ts";

export type ProcessLimit = Confinement["processLimit"];

/** How runs are held here. */
export interface Hold {
  holding: Holding;
  processLimit: ProcessLimit;
  /** Where groups for runs can be made; only for the limit `cgroup`. */
  cgroups: CgroupPlace | undefined;
}

/**
 * What of the kernel's own keeps a run from starting processes without end. A namespace's numbers come first: they cost nothing. Then a control group.
 * A user's limit binds everybody but root.
 */
export function chooseProcessLimit(holding: Holding, wanted?: ProcessLimit): Hold {
  const chosen = (processLimit: ProcessLimit, cgroups?: CgroupPlace): Hold => ({ holding, processLimit, cgroups });
  const may = (limit: ProcessLimit) => wanted === undefined || wanted === limit;
  if (may("namespace") && holding === "namespace" && hasOwnProcessNumbers()) return chosen("namespace");
  const cgroups = may("cgroup") ? findCgroups() : undefined;
  if (cgroups !== undefined) return chosen("cgroup", cgroups);
  const isRoot = process.getuid?.() === 0;
  if (may("user") && process.platform === "linux" && !isRoot) return chosen("user");
  return chosen(holding === "group" ? "none" : "sampled");
}

/** Since Linux 6.14 each namespace has a highest process number of its own; before, to set it would be to set the machine's. */
export function hasOwnProcessNumbers(): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return process.platform === "linux" && (major > 6 || (major === 6 && minor >= 14));
}
