// Keeps a host's store converged with its control plane: watch, pull, build, flip, report.
// Invariants: nothing that the network says is used before it was checked against the pinned key or a signed hash; `current` keeps serving
// whatever fails; the newest generation wins; a pass that finds nothing new is one conditional request.
// Left to others: what a store is and how it changes (`host`), running scripts (`runner`).

export type { ControlPlane, DesiredAnswer } from "./control-plane.ts";
export { type ControlPlaneOptions, createControlPlaneClient } from "./control-plane-client.ts";
export { type JoinOptions, joinControlPlane } from "./establish-identity.ts";
export type { ReconcileOptions, ReconcileResult } from "./pass.ts";
export { createReconcileMemory, type ReconcileMemory } from "./reconcile-memory.ts";
export { reconcileOnce } from "./reconcile-once.ts";
export { type RepairOptions, type RepairSummary, repairStore } from "./repair-store.ts";
export type { ScriptRunner } from "./sent-runs.ts";
export { type Agent, type AgentOptions, type AgentStatus, startAgent } from "./start-agent.ts";
