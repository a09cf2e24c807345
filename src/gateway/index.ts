// A registry on loopback for one install, and the resolver that sees nothing else of the world.
// Invariants: the resolver can only choose versions that policy allows and that stay within registries; its process group is dead, and
// all that it wrote is in its scratch directory, when `runResolver` returns; each packument is fetched at most once per gateway.
// Leaves to others: talking to registries (npm), what the lock means (npm), removing the scratch directory (operations).

export { chooseVersion } from "./choose-version.ts";
export { type Pin, refusedByPolicy } from "./explain-failure.ts";

export { fetchPackument, type PackumentSource } from "./fetch-packument.ts";
export { resolveAlias } from "./find-path.ts";
export { createGateway, type Gateway, type GatewayOptions } from "./gateway.ts";
export { createJudge, isVersionRange, type Judge, type Release, type Rules, rangeTest, type Verdict } from "./judge-release.ts";
export { type CachedPackument, createPackumentCache, type PackumentCache } from "./packument-cache.ts";
export { createResolverMemory, type ResolverAnswer, type ResolverMemory } from "./resolver-memory.ts";
export { createRuleset, type Ruleset, releaseOf } from "./ruleset.ts";
export { type ResolverOptions, runResolver } from "./run-resolver.ts";
export { type ServedPackument, servePackument } from "./served-packument.ts";
