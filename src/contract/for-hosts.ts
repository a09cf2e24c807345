// The part of this room that a host and its control plane say to each other: without the API's routes and what people ask for, whose schemas take longer to
// build than a host needs to look for news. The rooms of a host use this door; `index.ts` has all of it, and the rest.

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
export type { JoinRequest } from "./enrolment.ts";
export { formatEnrolmentToken, isLikeEnrolmentToken, parseEnrolmentToken } from "./enrolment-token.ts";
export { errorBodySchema } from "./error-body.ts";
export { type ErrorCode, errorCodes, exitCodeOf, httpStatusOf, isErrorCode } from "./error-codes.ts";
export { type ExactVersion, exactVersionSchema, isExactVersion, parseExactVersion } from "./exact-version.ts";
export type { AgentSession, HostPhase, HostReport } from "./host.ts";
export { type DesiredOffer, type HostEvent, hostEventSchema } from "./host-event.ts";
export { type HostIdentity, hostIdentitySchema } from "./host-identity.ts";
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
export { isPackageName, type PackageName, packageNameSchema, parsePackageName, scopeOf } from "./package-name.ts";
export { parseManifest } from "./parse-manifest.ts";
export {
  formatPlatform,
  matchesPlatform,
  type Platform,
  type PlatformConstraint,
  parsePlatform,
  platformSchema,
} from "./platform.ts";
export { nodeOf, type PlatformView, viewForPlatform } from "./platform-view.ts";
export type { Progress } from "./progress.ts";
export {
  acceptsBlobRedirect,
  manifestDeltaType,
  manifestFromHeader,
  nextKeyHeader,
  rawRoutes,
  timeHeaders,
} from "./raw-routes.ts";
export { redact } from "./redact.ts";
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
