import { type Choice, type ExactVersion, LarderError, type PackageName } from "../../contract/index.ts";
import {
  chooseVersion,
  createRuleset,
  fetchPackument,
  type PackumentCache,
  type Rules,
  refusedByPolicy,
  type ServedPackument,
  servePackument,
} from "../../gateway/index.ts";
import { mapConcurrent } from "../../lib/index.ts";
import { closestVersions, type RegistryClient } from "../../npm/index.ts";

export interface Pin {
  name: PackageName;
  version: ExactVersion;
}

/** A pin, and how its version was chosen where none was asked for. */
export type ChosenPin = Pin & { choice?: Choice };

interface PinOptions {
  registry: RegistryClient;
  cache: PackumentCache;
  rules: Rules;
  /** Pins that were checked before: not asked about again. */
  known: ReadonlyMap<PackageName, ExactVersion>;
  signal: AbortSignal;
}

const atOnce = 8;

/**
 * What the registry has and policy allows for each request: the version asked for, or the newest. Writes nothing. Throws for the first that cannot be pinned:
 * `E_INPUT` (named twice), `E_PACKAGE_NOT_FOUND`, `E_VERSION_NOT_FOUND`, `E_POLICY`, or the registry's trouble.
 */
export async function pinVersions(
  requests: readonly { name: PackageName; version?: ExactVersion | undefined }[],
  { registry, cache, rules, known, signal }: PinOptions,
): Promise<ChosenPin[]> {
  assertNamedOnce(requests);
  const ruleset = createRuleset(rules);
  return await mapConcurrent(requests, { limit: atOnce, signal }, async ({ name, version }) => {
    if (version !== undefined && known.get(name) === version) return { name, version };
    const packument = await fetchPackument({ client: registry, cache }, name, { signal, suffices: ruleset.suffices });
    if (packument === undefined) throw packageNotFound(name, registry.hostOf(name));
    const served = servePackument(packument, registry.hostOf(name), ruleset);
    if (version !== undefined) return { name, version: existing(served, version) };
    const choice = chooseVersion(served) ?? noChoice(served);
    return { name, version: choice.version, choice };
  });
}

function assertNamedOnce(requests: readonly { name: PackageName }[]): void {
  const seen = new Set<PackageName>();
  for (const { name } of requests) {
    if (seen.has(name))
      throw new LarderError("E_INPUT", `${name} is named twice.`, { hint: "An environment has one version of a package." });
    seen.add(name);
  }
}

/** Throws why none of its versions can be pinned. */
function noChoice({ packument: { name }, hidden }: ServedPackument): never {
  const findings = [...hidden.values()].flat();
  if (findings.length > 0) throw refusedByPolicy(findings.reverse());
  throw new LarderError("E_VERSION_NOT_FOUND", `The registry does not say which version of ${name} is the latest.`, {
    hint: "It has no usable version.",
    details: { name },
  });
}

function existing({ packument, hidden }: ServedPackument, version: ExactVersion): ExactVersion {
  const findings = hidden.get(version);
  if (findings) throw refusedByPolicy(findings);
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
