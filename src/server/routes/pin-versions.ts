import { type ExactVersion, LarderError, type PackageName } from "../../contract/index.ts";
import type { PackumentCache } from "../../gateway/index.ts";
import { mapConcurrent } from "../../lib/index.ts";
import { closestVersions, highestVersion, latestVersion, type Packument, type RegistryClient } from "../../npm/index.ts";

export interface Pin {
  name: PackageName;
  version: ExactVersion;
}

interface PinOptions {
  registry: RegistryClient;
  cache: PackumentCache;
  /** Pins that were checked before: not asked about again. */
  known: ReadonlyMap<PackageName, ExactVersion>;
  signal: AbortSignal;
}

const atOnce = 8;

/**
 * What the registry has for each request: the version asked for, or its latest. Writes nothing. Throws for the first that cannot be pinned:
 * `E_INPUT` (named twice), `E_PACKAGE_NOT_FOUND`, `E_VERSION_NOT_FOUND`, or the registry's trouble.
 */
export async function pinVersions(
  requests: readonly { name: PackageName; version?: ExactVersion | undefined }[],
  { registry, cache, known, signal }: PinOptions,
): Promise<Pin[]> {
  assertNamedOnce(requests);
  return await mapConcurrent(requests, { limit: atOnce, signal }, async ({ name, version }) => {
    if (version !== undefined && known.get(name) === version) return { name, version };
    const packument = await readPackument(name, { registry, cache, signal });
    if (packument === undefined) throw packageNotFound(name, registry.hostOf(name));
    return { name, version: version === undefined ? latestOf(packument) : existing(packument, version) };
  });
}

/** As the registry has it now, or confirms it. `undefined`: it has none. */
async function readPackument(
  name: PackageName,
  { registry, cache, signal }: Pick<PinOptions, "registry" | "cache" | "signal">,
): Promise<Packument | undefined> {
  const cached = cache.get(name);
  const answer = await registry.packument(name, { signal, etag: cached?.etag });
  if (answer.kind === "notModified") return cached?.body;
  if (answer.kind === "absent") return undefined;
  if (answer.etag !== undefined) cache.put(name, { etag: answer.etag, body: answer.body });
  return answer.body;
}

function assertNamedOnce(requests: readonly { name: PackageName }[]): void {
  const seen = new Set<PackageName>();
  for (const { name } of requests) {
    if (seen.has(name))
      throw new LarderError("E_INPUT", `${name} is named twice.`, { hint: "An environment has one version of a package." });
    seen.add(name);
  }
}

function latestOf(packument: Packument): ExactVersion {
  const latest = latestVersion(packument);
  if (latest) return latest;
  const highest = highestVersion(Object.keys(packument.versions) as ExactVersion[]);
  throw new LarderError("E_VERSION_NOT_FOUND", `The registry does not say which version of ${packument.name} is the latest.`, {
    hint: highest ? `Name a version, for example ${packument.name}@${highest}.` : "It has no usable version.",
    details: { name: packument.name },
  });
}

function existing(packument: Packument, version: ExactVersion): ExactVersion {
  if (packument.versions[version]) return version;
  const nearest = closestVersions(Object.keys(packument.versions) as ExactVersion[], version);
  throw new LarderError("E_VERSION_NOT_FOUND", `The registry has no ${packument.name}@${version}.`, {
    hint: nearest.length > 0 ? `The nearest are ${nearest.join(", ")}.` : "It has no usable version.",
    details: { name: packument.name, version, nearest },
  });
}

const packageNotFound = (name: PackageName, host: string): LarderError =>
  new LarderError("E_PACKAGE_NOT_FOUND", `The registry ${host} has no package ${name}.`, {
    hint: "Check the spelling; for a private package, that its registry is set for its scope or name and has a token: larder registry list",
    details: { name },
  });
