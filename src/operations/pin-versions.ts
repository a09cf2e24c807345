import { type Choice, type ExactVersion, LarderError, type PackageName, type PinRequest } from "../contract/index.ts";
import {
  chooseVersion,
  createRuleset,
  fetchPackument,
  isVersionRange,
  type PackumentSource,
  type Rules,
  rangeTest,
  refusedByPolicy,
  type ServedPackument,
  servePackument,
} from "../gateway/index.ts";
import { mapConcurrent } from "../lib/index.ts";
import { closestVersions } from "../npm/index.ts";

/** A pin, and how its version was chosen where none was asked for. */
export interface ChosenPin {
  name: PackageName;
  version: ExactVersion;
  choice?: Choice;
}

interface PinOptions {
  source: PackumentSource;
  rules: Rules;
  /** Pins that were checked before: not asked about again. */
  known?: ReadonlyMap<PackageName, ExactVersion>;
  signal: AbortSignal;
}

const atOnce = 8;

/**
 * What the registry has and policy allows for each request: the version asked for, or the newest. Writes nothing. Throws for the first that cannot be pinned:
 * `E_INPUT` (named twice), `E_PACKAGE_NOT_FOUND`, `E_VERSION_NOT_FOUND`, `E_POLICY`, or the registry's trouble.
 */
export async function pinVersions(
  requests: readonly PinRequest[],
  { source, rules, known, signal }: PinOptions,
): Promise<ChosenPin[]> {
  assertNamedOnce(requests);
  for (const request of requests) assertRange(request);
  const ruleset = createRuleset(rules);
  const { client } = source;
  return await mapConcurrent(requests, { limit: atOnce, signal }, async ({ name, version, range }) => {
    if (version !== undefined && known?.get(name) === version) return { name, version };
    const packument = await fetchPackument(source, name, { signal, suffices: ruleset.suffices });
    if (packument === undefined) throw packageNotFound(name, client.hostOf(name));
    const served = servePackument(packument, client.hostOf(name), ruleset);
    if (version !== undefined) return { name, version: existing(served, version) };
    const choice = chooseVersion(served, range) ?? noChoice(served, range);
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

function assertRange({ name, range }: PinRequest): void {
  if (range === undefined || isVersionRange(range)) return;
  throw new LarderError("E_INPUT", `${JSON.stringify(range)}, asked for of ${name}, is no range of versions.`, {
    hint: "Give an exact version, a range such as ^1.2.0, or none.",
    details: { name, range },
  });
}

/** Throws why none of its versions can be pinned. */
function noChoice({ packument, registry, hidden }: ServedPackument, range: string | undefined): never {
  const { name, versions } = packument;
  const suits = range === undefined ? () => true : rangeTest(range);
  const findings = [...hidden].flatMap(([version, findings]) => (suits(version) ? findings : []));
  if (findings.length > 0) throw refusedByPolicy(findings.reverse());
  throw new LarderError(
    "E_VERSION_NOT_FOUND",
    `The registry ${registry} has no usable version of ${name}${range === undefined ? "" : ` in ${range}`}.`,
    {
      ...(Object.keys(versions).length > 0 && { hint: `larder registry versions ${name} lists what it has.` }),
      details: { name },
    },
  );
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
