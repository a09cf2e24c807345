import { type ExactVersion, type Finding, isPackageName, LarderError, type PackageName } from "../contract/index.ts";
import { closestVersions, sortVersions } from "../npm/index.ts";
import { findPath } from "./find-path.ts";
import type { Gateway } from "./gateway.ts";
import { rangeTest } from "./judge-release.ts";
import type { ServedPackument } from "./served-packument.ts";

export interface Pin {
  name: PackageName;
  version: ExactVersion;
}

const outputLimit = 2000;
const findingsListed = 20;

/** Why the resolver gave up, in terms of the packages: it names the one at fault and the way out. `output` is what the resolver printed. */
export async function explainFailure(gateway: Gateway, pins: readonly Pin[], output: string): Promise<LarderError> {
  const trouble = gateway.firstFailure();
  if (trouble) return trouble;
  for (const pin of pins) {
    const error = await explainPin(gateway, pin);
    if (error) return error;
  }
  return (await explainDependency(gateway, pins, output)) ?? unexplained(gateway, output);
}

async function explainPin(gateway: Gateway, { name, version }: Pin): Promise<LarderError | undefined> {
  const found = await gateway.lookup(name);
  if (found.kind === "failed") return found.error;
  if (found.kind === "absent")
    return notFound(name, gateway.registryOf(name), "Check the spelling, or take it off the allowlist.");
  const { versions, hidden } = found.served;
  if (versions.has(version)) return undefined;
  const findings = hidden.get(version);
  if (findings) return refusedByPolicy(withPath(findings, [`${name}@${version}`]));
  return new LarderError(
    "E_VERSION_NOT_FOUND",
    `The registry ${gateway.registryOf(name)} has no version ${version} of ${name}.`,
    {
      hint: closestHint(versions, version),
      details: { package: `${name}@${version}`, registry: gateway.registryOf(name), closest: closestVersions(versions, version) },
    },
  );
}

/** What Bun prints when a dependency of a dependency cannot be had. */
const noMatch = /No version matching "([^"]*)" found for specifier "([^"]*)"/;
const notThere = /GET \S*\/([^/\s]+) - 404/;

async function explainDependency(gateway: Gateway, pins: readonly Pin[], output: string): Promise<LarderError | undefined> {
  const [, range = "", unmatched = ""] = noMatch.exec(output) ?? [];
  if (isPackageName(unmatched)) {
    const found = await gateway.lookup(unmatched);
    if (found.kind !== "ok") return found.kind === "failed" ? found.error : undefined;
    return noVersionFor(gateway, pins, { served: found.served, range });
  }
  const absent = (notThere.exec(output)?.[1] ?? "").replace(/%2f/i, "/");
  if (!isPackageName(absent)) return undefined;
  const dependent = dependentOn(gateway, absent);
  return notFound(
    absent,
    gateway.registryOf(absent),
    `It is a dependency${dependent ? ` of ${dependent}` : ""}. Choose a version without it.`,
  );
}

function noVersionFor(
  gateway: Gateway,
  pins: readonly Pin[],
  { served: { packument, versions, hidden }, range }: { served: ServedPackument; range: string },
): LarderError {
  const { name } = packument;
  const path = findPath(gateway, pins, { name, range });
  const dependent = path?.at(-1) ?? dependentOn(gateway, name, range);
  const suits = rangeTest(packument["dist-tags"][range] ?? range);
  const withheld = sortVersions(hidden.keys())
    .reverse()
    .filter((version) => suits(version));
  const findings = withheld.flatMap((version) => withPath(hidden.get(version) ?? [], [...(path ?? []), `${name}@${version}`]));
  if (findings.length > 0) return refusedByPolicy(findings, { range, dependent });
  const newest = sortVersions(versions).slice(-4);
  return new LarderError(
    "E_VERSION_NOT_FOUND",
    `The registry ${gateway.registryOf(name)} has no version of ${name} for ${JSON.stringify(range)}${dependent ? `, which ${dependent} needs` : ""}.`,
    {
      hint: newest.length > 0 ? `The newest are ${newest.join(", ")}.` : "Every version of it is refused by the policy.",
      details: { package: name, range, dependent, path, registry: gateway.registryOf(name) },
    },
  );
}

const withPath = (findings: readonly Finding[], path: string[]): Finding[] => findings.map((finding) => ({ ...finding, path }));

/** The refusal that its first finding gives, which is of the newest version; all are in `details.refusals`. */
export function refusedByPolicy(
  findings: readonly Finding[],
  { range, dependent }: { range?: string; dependent?: string | undefined } = {},
): LarderError {
  const [first] = findings as [Finding, ...Finding[]];
  const { name, version, rule, message, hint, path = [] } = first;
  const via = path.length > 1 ? ` It is needed by ${path.slice(0, -1).join(" → ")}.` : "";
  const wanted = range === undefined ? "" : ` Nothing else suits ${JSON.stringify(range)}${others(findings)}.`;
  return new LarderError("E_POLICY", `${message}${via}${wanted}`, {
    hint,
    details: {
      package: `${name}@${version}`,
      rule,
      path,
      range,
      dependent,
      refusals: findings.slice(0, findingsListed),
    },
  });
}

function others(findings: readonly Finding[]): string {
  const rules = new Map<string, string>();
  for (const { version, rule } of findings) if (version !== findings[0]?.version) rules.set(version, rules.get(version) ?? rule);
  if (rules.size === 0) return "";
  const listed = [...rules].slice(0, 4).map(([version, rule]) => `${version} (${rule})`);
  return `: also hidden are ${listed.join(", ")}${rules.size > listed.length ? ` and ${rules.size - listed.length} more` : ""}`;
}

/** A version, of those offered, that declares a dependency on `name`, and on this range of it when one is given. */
function dependentOn(gateway: Gateway, name: string, range?: string): string | undefined {
  const dependents: string[] = [];
  for (const { packument, versions } of gateway.offered()) {
    for (const version of versions) {
      const { dependencies, peerDependencies } = packument.versions[version] ?? {};
      const declared = new Map(Object.entries({ ...peerDependencies, ...dependencies })).get(name);
      if (declared !== undefined && (range === undefined || declared === range)) dependents.push(`${packument.name}@${version}`);
    }
  }
  return dependents.length === 1 ? dependents[0] : undefined;
}

function closestHint(versions: ReadonlySet<ExactVersion>, wanted: ExactVersion): string {
  const closest = closestVersions(versions, wanted);
  return closest.length > 0 ? `The closest versions are ${closest.join(", ")}.` : "No version of it can be used.";
}

const notFound = (name: string, registry: string, hint: string): LarderError =>
  new LarderError("E_PACKAGE_NOT_FOUND", `The registry ${registry} has no package ${name}.`, {
    hint,
    details: { package: name, registry },
  });

async function unexplained(gateway: Gateway, output: string): Promise<LarderError> {
  if (/\bENOSPC: /.test(output)) {
    return new LarderError("E_NO_SPACE", "The resolver found no space left in its working directory.", {
      hint: "Free some space on the disk that holds the data directory.",
      retryable: true,
    });
  }
  const said = output
    .replaceAll(await gateway.listen(), "")
    .trim()
    .slice(-outputLimit);
  return new LarderError("E_RESOLVE", `The resolver could not resolve the allowlist${said === "" ? "." : `: ${said}`}`, {
    hint: "Its message names what it could not resolve. Change the pins that lead there.",
  });
}
