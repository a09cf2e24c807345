// The control plane's memory: drizzle over PGlite or PostgreSQL, one code path.
// One query file per table; every query takes the `Queryable` to run on, so that callers make the transactions.
// Invariants: a write on behalf of an election names its epoch and changes nothing when that is over (I5); generations only grow (I6);
// secrets come here hashed or sealed. Timestamps are the database's clock, in the contract's form.
// Left to others: what an operation does (operations), who may ask (server), where blobs' bytes are (blobs).

export { ensureActiveStore, getActiveStore, holdsWantedBlobs, setActiveStore } from "./active-store.ts";
/** @internal For tests. */
export { type AuditEntry, listAudit, pageOfAudit, recordAudit } from "./audit-log.ts";
/** @internal For tests. */
export {
  type BlobEntry,
  blobUsage,
  deleteBlobEntry,
  getBlobEntries,
  getBlobEntriesOf,
  getBlobEntry,
  getBlobEntryOf,
  listBlobEntries,
  type NewBlobEntry,
  putBlobEntries,
  putBlobEntry,
} from "./blob-index.ts";
export {
  countUnverifiedBlobs,
  listBlobsOutside,
  listStoreUsage,
  listUnverifiedBlobs,
  markBlobVerified,
  moveBlobEntry,
  type StoreUsage,
} from "./blob-placement.ts";
export {
  getQuarantinedStores,
  listQuarantinedBlobs,
  type QuarantinedBlob,
  quarantineBlob,
  releaseBlob,
} from "./blob-quarantine.ts";
export {
  type BlobContent,
  beginBlobUpload,
  deleteBlobContent,
  discardBlobUpload,
  getBlobChunk,
  getBlobContent,
  listBlobContents,
  publishBlobUpload,
  putBlobChunk,
  sweepBlobUploads,
} from "./blob-uploads.ts";
export type { Db, Election } from "./database.ts";
export { isDatabaseAway } from "./database-errors.ts";
export { getDesiredState, listDesiredGenerations, putDesiredState } from "./desired-states.ts";
export { assertEpoch, fenced, tryElect, whileEpochHolds } from "./election.ts";
export {
  createEnrolment,
  type EnrolmentToCreate,
  listEnrolments,
  lockEnrolment,
  revokeEnrolment,
  useEnrolment,
} from "./enrolments.ts";
export {
  createEnvironment,
  type Environment,
  type EnvironmentState,
  getEnvironment,
  listEnvironments,
  lockEnvironment,
} from "./environments.ts";
export {
  type CommitResult,
  commitGeneration,
  currentGeneration,
  type GenerationCommit,
  getGeneration,
  listGenerations,
  pageOfGenerations,
  setGenerationNote,
} from "./generations.ts";
export { findHostByKey, getHostKeys, type HostKey, listChangedHosts, wasKeyRevokedSince } from "./host-keys.ts";
export { type ReportingHost, type ReportOutcome, reportHosts } from "./host-reports.ts";
export { claimRuns, countWaitingRuns, dropRun, finishRun, getRun, queueRun, type RunToQueue } from "./host-runs.ts";
export {
  countHosts,
  getHost,
  getHosts,
  groupHosts,
  type HostToInsert,
  insertHost,
  listHostPlatforms,
  listHosts,
  listHostsInError,
  pageOfHosts,
  revokeHost,
} from "./hosts.ts";
export { handSigningOver, insertAnnouncedKey, listHandovers, lockActiveSigningKey } from "./key-handovers.ts";
/** @internal For tests. */
export {
  getLockfile,
  getManifest,
  getManifestOf,
  listManifestBlobs,
  listManifestsNaming,
  type ManifestToStore,
  putManifest,
  type StoredManifest,
} from "./manifests.ts";
export { ensureStoreId, getMeta } from "./meta.ts";
export { type DatabaseOptions, openDatabase } from "./open-database.ts";
/** @internal For tests. */
export {
  activeOperation,
  claimNextOperation,
  finishOperation,
  getOperation,
  insertOrJoinOperation,
  interruptOrphanedOperations,
  isCancelRequested,
  latestOperation,
  listActiveOperations,
  listOperations,
  type OperationOutcome,
  type OperationRequest,
  pageOfOperations,
  requestOperationCancel,
  requeueOperation,
  retryOfOperation,
  setOperationProgress,
} from "./operations.ts";
export {
  approvePackageRequests,
  countOpenPackageRequests,
  declinePackageRequest,
  listPackageRequests,
  openPackageRequest,
} from "./package-requests.ts";
export {
  dropPackageTypes,
  getPackageTypes,
  getTypesBundleOf,
  type ListedTypes,
  listPackageTypes,
  putPackageTypes,
  type StoredTypes,
  setTypesOutline,
} from "./package-types.ts";
export {
  getAllowlist,
  getPackage,
  listPackages,
  type PackageChangeResult,
  readAllowlist,
  removePackage,
  setPackageEnabled,
  upsertPackages,
} from "./packages.ts";
export { type EffectivePolicy, getPolicy, putPolicy, readEffectivePolicy } from "./policies.ts";
export type { Queryable } from "./queryable.ts";
export {
  listStoredRegistries,
  lockRegistries,
  putRegistry,
  removeRegistry,
  resealRegistry,
  type StoredRegistry,
} from "./registries.ts";
export { getReleases, noteReleases, type ReleaseFacts } from "./releases.ts";
export { removeEnvironment } from "./remove-environment.ts";
export { replacePackages } from "./replace-packages.ts";
export {
  addReclaimedBytes,
  dropBlobEntries,
  dropUnreferencedManifests,
  listCollectableBlobs,
  markUnreferenced,
  previewRetention,
  type RetentionPreview,
  reclaimedBytes,
  unreferencedUsage,
} from "./retention.ts";
export { deleteRevocation, insertRevocation, listRevocations } from "./revocations.ts";
export {
  createSession,
  endSession,
  endSessionsOf,
  findSession,
  type LiveSession,
  listSessionIds,
} from "./sessions.ts";
export {
  activeSigningKey,
  countHostsByKey,
  ensureSigningKey,
  listSigningKeys,
  resealSigningKey,
  type StoredSigningKey,
} from "./signing-keys.ts";
export { spendProof } from "./spent-proofs.ts";
export { type FruitlessStocks, fruitlessStocks } from "./stock-attempts.ts";
export { readStoreFacts, type StoreFacts } from "./store-facts.ts";
export {
  forgetRevivedStrays,
  forgetStrayBlobs,
  listStrayBlobs,
  listUsedStores,
  noteStrayBlobs,
  type StrayBlob,
  stillStray,
  strayUsage,
} from "./stray-blobs.ts";
export { createToken, findToken, listTokens, revokeToken, type TokenOwner, touchToken } from "./tokens.ts";
export { deleteWaiver, insertWaiver, listWaivers } from "./waivers.ts";
