// What both sides say: ids, schemas, routes, error codes, canonical JSON, signatures.
// No I/O, no Node, no Bun: the browser, the server and a host read the same definitions.
// Invariants: canonical JSON is RFC 8785; every persisted or sent format carries a version; a name, version or hash that came
// through a parser here is safe to join into a path or an address.

export type { AuditQuery, AuditRecord } from "./audit-log.ts";
export { blobBatchKeys, blobBatchSchema, blobFrameHead, largestBatchedBlob, readBlobFrames } from "./blob-frames.ts";
export { canonicalJson } from "./canonical-json.ts";
export { defaultEnvironment } from "./default-environment.ts";
export {
  type DesiredState,
  desiredStateFormat,
  desiredStateSchema,
  type SignedDesiredState,
  signedDesiredStateSchema,
} from "./desired-state.ts";
export { generateKeyPair, isTextSignedBy, type KeyPair, keyIdOf, signText } from "./ed25519.ts";
export { type Enrolment, enrolInputSchema, enrolmentSchema, type JoinRequest, joinRequestSchema } from "./enrolment.ts";
export { formatEnrolmentToken, isLikeEnrolmentToken, parseEnrolmentToken } from "./enrolment-token.ts";
export { type EnvironmentDetails, environmentSchema } from "./environment.ts";
export { errorBodySchema } from "./error-body.ts";
export { type ErrorCode, errorCodes, exitCodeOf, httpStatusOf, isErrorCode } from "./error-codes.ts";
export { type DesiredOffer, type Event, eventSchema } from "./events.ts";
export { type ExactVersion, exactVersionSchema, isExactVersion, parseExactVersion } from "./exact-version.ts";
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
  type AgentSession,
  type Host,
  type HostLabels,
  type HostPhase,
  type HostReport,
  type HostState,
  hostLabelsSchema,
  hostPhases,
  hostReportSchema,
  hostSchema,
  hostStates,
  type SeenSession,
  silentAfterMs,
} from "./host.ts";
export {
  createReadProof,
  createRequestProof,
  digestOfBody,
  type HostCredential,
  type HostProof,
  isHostProof,
  isJoinSignedBy,
  isProofBy,
  type ProvenRequest,
  parseHostProof,
  proofAheadMs,
  proofLifeMs,
  signJoin,
} from "./host-proof.ts";
export { type EnvironmentName, environmentNameSchema, type Id, idSchema, timestampSchema } from "./ids.ts";
export {
  type BlobKey,
  blobKeyOf,
  blobKeySchema,
  type Integrity,
  integrityOf,
  integritySchema,
  isBlobKey,
  isIntegrity,
  isLockfileHash,
  type LockfileHash,
  lockfileHashSchema,
  parseBlobKey,
} from "./integrity.ts";
export { type ErrorBody, hasCode, LarderError, type LarderErrorOptions } from "./larder-error.ts";
export { type Manifest, type ManifestNode, manifestFormat, manifestNodeSchema, manifestSchema, type NodeId } from "./manifest.ts";
export {
  applyManifestDelta,
  diffManifests,
  formatManifest,
  type ManifestDelta,
  manifestDeltaSchema,
} from "./manifest-delta.ts";
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
  type Progress,
  progressSchema,
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
export { isPackageName, type PackageName, packageNameSchema, parsePackageName, scopeOf } from "./package-name.ts";
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
export { parseManifest } from "./parse-manifest.ts";
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
  formatPlatform,
  matchesPlatform,
  type Platform,
  type PlatformConstraint,
  parsePlatform,
  platformSchema,
} from "./platform.ts";
export { nodeOf, type PlatformView, viewForPlatform } from "./platform-view.ts";
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
export { redact } from "./redact.ts";
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
export {
  acceptsBlobRedirect,
  contract,
  type HostIdentity,
  hostIdentitySchema,
  manifestDeltaType,
  manifestFromHeader,
  nextKeyHeader,
  rawRoutes,
  timeHeaders,
} from "./routes.ts";
export {
  type Confinement,
  confinementSchema,
  type RunLimits,
  type RunOutcome,
  type RunRequestBody,
  type RunResult,
  type Runtime,
  runLimitsSchema,
  runOutcomeSchema,
  runRequestSchema,
  runResultSchema,
  runtimes,
} from "./run.ts";
export { type Session, sessionSchema } from "./session.ts";
export {
  formatSignedTime,
  isTimeSignedBy,
  parseSignedTime,
  type SignedTime,
  signedTimeSchema,
  signTime,
} from "./signed-time.ts";
export { assertDesiredStateSignature, generateSigningKey, type SigningKey, signDesiredState } from "./signing.ts";
export {
  announcedKey,
  type FollowedKey,
  followSigningChain,
  notAnnounced,
  type PublicHalf,
  publicHalfSchema,
  type SignedHandover,
  type SigningChain,
  signHandover,
  signingChainSchema,
} from "./signing-chain.ts";
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
