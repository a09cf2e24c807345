// What npm means: packuments, the registry client, bun.lock, and the way from a lock to a manifest.
// Invariants: what a registry or a lock says passes a parser here before anything else sees it; a manifest is a pure function of the lock,
// the allowlist and what was declared; every failure names the package, and the registry where one took part.
// Leaves to others: which versions policy allows and running the resolver (gateway), reading tarballs (archive), storing anything.

export { buildManifest, type ManifestInput } from "./build-manifest.ts";
export { type BunLock, type LockPackage, parseBunLock } from "./bun-lock.ts";
export { closestVersions, highestVersion, sortVersions } from "./closest-versions.ts";
export { AddressRefused, assertFetchable, createOutboundGuard, type OutboundGuard } from "./outbound/outbound-guard.ts";
export { type DeclaredVersion, declaredVersion, latestVersion, type Packument, type PackumentVersion } from "./packument.ts";
export type { PackumentLimits } from "./packument-draft.ts";
export { pruneLock } from "./prune-lock.ts";
export { parseTime, publishedAt } from "./published-at.ts";
export { defaultPackumentLimits } from "./read-packument.ts";
export {
  createRegistryClient,
  defaultRegistry,
  encodePackageName,
  type PackumentAnswer,
  type RegistryClient,
  type RegistryClientOptions,
  type SingleRegistryClient,
  type WhoAmI,
} from "./registry-client.ts";
export { isBelow, matchesPattern, type RegistryConfig, registryAddress } from "./registry-config.ts";
export { createRegistryRouter, type RegistryRouter } from "./registry-router.ts";
export type { FoundPackage } from "./search.ts";
