// What both sides say: ids, schemas, routes, error codes, canonical JSON, signatures.
// No I/O, no Node, no Bun: the browser, the server and a host read the same definitions.
// Invariants: canonical JSON is RFC 8785; every persisted or sent format carries a version; a name, version or hash that came
// through a parser here is safe to join into a path or an address.

export type { AuditPage, AuditQuery, AuditRecord } from "./audit-log.ts";
export { type Enrolment, enrolInputSchema, enrolmentSchema, joinRequestSchema } from "./enrolment.ts";
export { type EnvironmentDetails, environmentSchema } from "./environment.ts";
export { type Event, eventSchema } from "./events.ts";
export * from "./for-hosts.ts";
export {
  type Generation,
  type GenerationChanges,
  type GenerationDiff,
  type GenerationSize,
  generationDiffSchema,
  generationSchema,
  type PackageChange,
} from "./generation.ts";
export {
  type Host,
  type HostLabels,
  type HostState,
  hostLabelsSchema,
  hostPhases,
  hostReportSchema,
  hostSchema,
  hostStates,
  type SeenSession,
  silentAfterMs,
} from "./host.ts";
export type { HostCounts, HostFilter, HostListQuery, HostPage } from "./host-list.ts";
export {
  environmentOf,
  type InstallPhase,
  type InstallResult,
  installPhases,
  installResultSchema,
  type Operation,
  type OperationKind,
  type OperationOf,
  type OperationResult,
  type OperationState,
  operationKinds,
  operationSchema,
  operationStates,
  type StockResult,
} from "./operation.ts";
export {
  type Allowlist,
  allowlistSchema,
  type PackageEntry,
  type PinRequest,
  packageEntrySchema,
  pinRequestSchema,
} from "./package-entry.ts";
export { type PackageRequest, packageRequestSchema } from "./package-request.ts";
export {
  maxTypesSpecifiers,
  type PlacedTypes,
  placedTypesSchema,
  type SpecifierTypes,
  specifierTypesSchema,
  type TypesBundle,
  type TypesIndex,
  type TypesStatus,
  typesBundleSchema,
  typesFormat,
  typesIndexSchema,
  typesStatuses,
} from "./package-types.ts";
export {
  type AddedDependency,
  type AllowlistChanges,
  allowlistChangesSchema,
  type Choice,
  type Plan,
  type PlanInput,
  type PolicyTest,
  planSchema,
  policyTestSchema,
  type RevokeEffect,
} from "./plan.ts";
export {
  type CapFinding,
  type CapLimit,
  type Caps,
  capNames,
  defaultPolicy,
  type Extension,
  extensionSchema,
  type Finding,
  type Policy,
  type PolicyChange,
  type PolicyRule,
  policyChangeSchema,
  policySchema,
  type WaivableRule,
  waivableRules,
} from "./policy.ts";
export { type EnvironmentPolicy, environmentPolicySchema } from "./policy-routes.ts";
export { progressSchema } from "./progress.ts";
export {
  defaultRegistryName,
  type PackageSearch,
  type PackageVersions,
  type Registry,
  type RegistryAuthInput,
  type RegistryImport,
  type RegistryInput,
  type RegistryTest,
} from "./registry.ts";
export { contract } from "./routes.ts";
export { type Session, sessionSchema } from "./session.ts";
export type { SigningKeyFacts } from "./signing-key-routes.ts";
export { type Status, statusSchema } from "./status.ts";
export {
  type AuditInput,
  type AuditResult,
  auditInputSchema,
  type BlobTrouble,
  type CollectInput,
  type CollectPlan,
  type CollectResult,
  collectInputSchema,
  collectPlanSchema,
  type MigrateInput,
  type MigratePlan,
  type MigrateResult,
  migrateInputSchema,
  migratePlanSchema,
  storeNameSchema,
  troublesListed,
} from "./storage-operations.ts";
export { type MigrationStatus, type StorageStatus, storageStatusSchema } from "./storage-status.ts";
export { type Role, roles, type Token, tokenSchema } from "./token.ts";
export { type NewWaiver, newWaiverSchema, type Revocation, type Waiver, waiverSchema } from "./waiver.ts";
