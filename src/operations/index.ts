// Long jobs under election, and what changes an environment's generations.
// Invariants: a durable write names its epoch, and a lost election writes nothing more (I5); bytes, row, manifest, pointer, in that order; a job that
// was killed is run again from the data (I11, I12); a failed one changes nothing that hosts see.
// Left to others: who may ask (server), what a host does with the result (agent).

export { type AuditOptions, createAuditHandler } from "./audit/audit.ts";
export { type CollectOptions, createCollectHandler } from "./collect/collect.ts";
export { readCollectionPlan } from "./collect/plan-collection.ts";
export { startCollectSchedule } from "./collect/schedule.ts";
export { advancePast } from "./generations/advance.ts";
export { noLongerAvailable } from "./generations/commit-copy.ts";
export { diffManifests } from "./generations/diff-manifests.ts";
export { promote } from "./generations/promote.ts";
export { readManifest, readSizes } from "./generations/read-changes.ts";
export { rollbackTo } from "./generations/rollback.ts";
export { createInstallHandler } from "./install/install.ts";
export type { DesiredStateSigner, InstallOptions } from "./install/install-options.ts";
export { createMigrateHandler, type MigrateOptions } from "./migrate/migrate.ts";
export { readMigrationPlan } from "./migrate/plan-migration.ts";
export { probeStore } from "./migrate/probe-store.ts";
export { readMigrationStatus } from "./migrate/read-migration-status.ts";
export { namePackages } from "./name-packages.ts";
export { noSuchEnvironment } from "./no-such-environment.ts";
export { type Notice, parseNotice } from "./notices.ts";
export type { OperationHandler, OperationHandlers, OperationRun } from "./operation-handler.ts";
export { pinVersions } from "./pin-versions.ts";
export { createPlanner, type Planner, type PlannerOptions, type PlanRequest } from "./plan/planner.ts";
export { planRevocation, type Revoked, type RevokeRequest, revoke } from "./plan/revoke.ts";
export { testPolicy } from "./plan/test-policy.ts";
export { requestInstall, requestStock } from "./request-of-environment.ts";
export { migrationToResume, requestAudit, requestCollection, requestMigration, type Started } from "./request-operation.ts";
export { type OperationsOptions, startOperations } from "./start-operations.ts";
export { lackingPlatforms } from "./stock/lacking-platforms.ts";
export { readWants } from "./stock/read-wants.ts";
export { createStockHandler, type StockOptions } from "./stock/stock.ts";
