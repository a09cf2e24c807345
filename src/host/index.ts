// A host's store on disk: packages by key, trees by lockfile hash, `current`, leases, state.
// Invariants: a directory under `packages/` or `trees/` is complete, because it appears by rename; `current` changes by rename, so it
// always resolves; a leased tree is never removed; generations only grow; one writer per store, any number of readers.
// Left to others: fetching (`agent`), running scripts (`runner`), and what a manifest means to npm (`npm`).

export { acceptDesiredState, type ToldTime } from "./accept-desired-state.ts";
export { currentTree, hasTree, type TreeRef } from "./current-tree.ts";
export { detectPlatform } from "./detect-platform.ts";
export { describeDiskError, describeDiskErrors } from "./disk-error.ts";
export { flipCurrent } from "./flip.ts";
export { ensureHostKey, type HostSelf, readHostSelf } from "./host-key.ts";
export { type HostStore, type HostStoreOptions, openHostStore } from "./host-store.ts";
export { manifestPath, manifestsFolder, readKeptManifest } from "./kept-manifest.ts";
export type { PackageKey, StoreLayout } from "./layout.ts";
export { acquireLease, countRuns, type Lease, openRunDirectory, type RunDirectory } from "./lease.ts";
export { type Materialised, type MaterialiseOptions, materialise, missingPackages } from "./materialise.ts";
export { hasHeardOfKey, isByAnotherKey, keepAnnouncedKey, pinNextKey, withKey } from "./pin-next-key.ts";
export { createPlanMemory, type PlanMemory } from "./plan-memory.ts";
export { type PackageLink, type PlannedPackage, planTree, type TreePlan } from "./plan-tree.ts";
export { currentBootId } from "./record.ts";
export { restoreCurrent } from "./restore-current.ts";
export { isSettled, markSettled, unsettle } from "./settle.ts";
export { dropPackages } from "./staging.ts";
export { type AcceptedState, readAccepted, readHostKey, readIdentity, type StoredIdentity, writeIdentity } from "./state.ts";
export { openStoreWriter, type StoreWriter } from "./store-writer.ts";
export { previewSweep, type SweepOptions, type SweepSummary, sweepStore } from "./sweep.ts";
export { checkTrust, type TrustProblem, type TrustReport } from "./trust.ts";
export { type Damage, type VerifyOptions, type VerifyReport, verifyStore } from "./verify.ts";
