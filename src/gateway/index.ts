// A registry on loopback for one install, and the resolver that sees nothing else of the world.
// Invariants: the resolver can only choose versions that policy allows and that stay within registries; its process group is dead, and
// all that it wrote is in its scratch directory, when `runResolver` returns; each packument is fetched at most once per gateway.
// Leaves to others: talking to registries (npm), what the lock means (npm), removing the scratch directory (operations).

export type { Pin } from "./explain-failure.ts";
export { type Gateway, type GatewayOptions, openGateway } from "./gateway.ts";
export { type CachedPackument, createPackumentCache, type PackumentCache } from "./packument-cache.ts";
export { type ResolverOptions, runResolver } from "./run-resolver.ts";
export type { AllowsVersion } from "./served-packument.ts";
