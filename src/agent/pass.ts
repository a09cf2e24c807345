import type { Manifest, Progress } from "../contract/for-hosts.ts";
import type { Materialised, StoreWriter, SweepOptions, TreePlan, TreeRef } from "../host/index.ts";
import type { Logger } from "../lib/index.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { ReconcileMemory } from "./reconcile-memory.ts";
import type { Stopwatch } from "./stopwatch.ts";

export interface ReconcileOptions {
  writer: StoreWriter;
  controlPlane: ControlPlane;
  server: URL;
  /** What to join with, for a host that has not, or is no longer known. */
  token?: string | undefined;
  /** What to be called, when the token leaves it open. */
  name?: string | undefined;
  agentVersion?: string | undefined;
  logger: Logger;
  memory?: ReconcileMemory;
  sweep?: Pick<SweepOptions, "graceMs" | "quotaBytes">;
  /** What was built for so long may no longer be wanted: the control plane is asked once more before the flip. Default 500 ms. */
  recheckAfterMs?: number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

export interface ReconcileResult {
  kind: "flipped" | "unchanged" | "none";
  tree?: TreeRef;
  pulledBytes: number;
  pulledBlobs: number;
  packagesBuilt: number;
  /** Allowlisted packages that this host's platform cannot have. */
  unavailable: TreePlan["unavailable"];
  timingsMs: Record<string, number>;
}

/** One reconcile under way. */
export interface Pass extends ReconcileOptions {
  memory: ReconcileMemory;
  signal: AbortSignal;
  stopwatch: Stopwatch;
  done: Materialised;
  building?: { manifest: Manifest; plan: TreePlan };
  unavailable: TreePlan["unavailable"];
}
