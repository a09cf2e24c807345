// The tables as queries see them; `migrations/` make them, and a test holds the two against each other.

export { auditLog, sessions, tokens } from "./schema/access.ts";
export { blobChunks, blobContents, blobQuarantine, blobs, blobUploads, packageTypes, strayBlobs } from "./schema/blobs.ts";
export { environments, packageRequests, packages, removedEnvironments } from "./schema/environments.ts";
export { desiredStates, generations, manifestBlobs, manifests } from "./schema/generations.ts";
export { enrolments, hostRuns, hosts, spentProofs } from "./schema/hosts.ts";
export { election, meta, operations } from "./schema/operations.ts";
export { policies, registries, releases, revocations, waivers } from "./schema/policy.ts";
export { keyHandovers, signingKeys } from "./schema/signing-keys.ts";
