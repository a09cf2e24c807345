import { type ExactVersion, isPackageName, LarderError, type PackageName } from "../contract/index.ts";
import { closestVersions, sortVersions } from "../npm/index.ts";
import { exoticDependency } from "./exotic.ts";
import type { Gateway } from "./gateway.ts";
import type { ServedPackument } from "./served-packument.ts";

export interface Pin {
  name: PackageName;
  version: ExactVersion;
}

const outputLimit = 2000;

/** Why the resolver gave up, in terms of the packages: it names the one at fault and the way out. `output` is what the resolver printed. */
export async function explainFailure(gateway: Gateway, pins: readonly Pin[], output: string): Promise<LarderError> {
  const trouble = gateway.firstFailure();
  if (trouble) return trouble;
  for (const pin of pins) {
    const error = await explainPin(gateway, pin);
    if (error) return error;
  }
  return (await explainDependency(gateway, output)) ?? unexplained(gateway, output);
}

async function explainPin(gateway: Gateway, { name, version }: Pin): Promise<LarderError | undefined> {
  const found = await gateway.lookup(name);
  if (found.kind === "failed") return found.error;
  if (found.kind === "absent")
    return notFound(name, gateway.registryOf(name), "Check the spelling, or take it off the allowlist.");
  const { packument, versions } = found.served;
  if (versions.has(version)) return undefined;
  const withheld = packument.versions[version];
  const exotic = withheld && exoticDependency(withheld);
  if (exotic) return leadsOut(`${name}@${version}`, exotic);
  const message = withheld
    ? `${name}@${version} is not allowed by the policy for versions.`
    : `The registry ${gateway.registryOf(name)} has no version ${version} of ${name}.`;
  return new LarderError("E_VERSION_NOT_FOUND", message, {
    hint: closestHint(versions, version),
    details: { package: `${name}@${version}`, registry: gateway.registryOf(name), closest: closestVersions(versions, version) },
  });
}

/** What Bun prints when a dependency of a dependency cannot be had. */
const noMatch = /No version matching "([^"]*)" found for specifier "([^"]*)"/;
const notThere = /GET \S*\/([^/\s]+) - 404/;

async function explainDependency(gateway: Gateway, output: string): Promise<LarderError | undefined> {
  const [, range = "", unmatched = ""] = noMatch.exec(output) ?? [];
  if (isPackageName(unmatched)) {
    const found = await gateway.lookup(unmatched);
    if (found.kind !== "ok") return found.kind === "failed" ? found.error : undefined;
    return noVersionFor(gateway, found.served, range);
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

function noVersionFor(gateway: Gateway, { packument, versions }: ServedPackument, range: string): LarderError {
  const { name } = packument;
  const dependent = dependentOn(gateway, name, range);
  const withheld = Object.values(packument.versions).filter(({ version }) => !versions.has(version));
  const exotic = withheld.length === 1 ? withheld.map(exoticDependency)[0] : undefined;
  if (exotic) return leadsOut(`${name}@${withheld[0]?.version}`, exotic);
  const newest = sortVersions(versions).slice(-4);
  return new LarderError(
    "E_VERSION_NOT_FOUND",
    `The registry ${gateway.registryOf(name)} has no version of ${name} for ${JSON.stringify(range)}${dependent ? `, which ${dependent} needs` : ""}.`,
    {
      hint: newest.length > 0 ? `The newest are ${newest.join(", ")}.` : "Every version of it is refused by the policy.",
      details: { package: name, range, dependent, registry: gateway.registryOf(name) },
    },
  );
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

const leadsOut = (label: string, { alias, specifier }: { alias: string; specifier: string }): LarderError =>
  new LarderError(
    "E_RESOLVE",
    `${label} depends on ${alias} at ${JSON.stringify(specifier.slice(0, 300))}, which is not in a registry.`,
    {
      hint: "Larder serves packages from registries only, not from git, addresses, files or workspaces. Use another version.",
      details: { package: label, dependency: alias },
    },
  );

function unexplained(gateway: Gateway, output: string): LarderError {
  if (/\bENOSPC: /.test(output)) {
    return new LarderError("E_NO_SPACE", "The resolver found no space left in its working directory.", {
      hint: "Free some space on the disk that holds the data directory.",
      retryable: true,
    });
  }
  const said = output.replaceAll(gateway.url, "").trim().slice(-outputLimit);
  return new LarderError("E_RESOLVE", `The resolver could not resolve the allowlist${said === "" ? "." : `: ${said}`}`, {
    hint: "Its message names what it could not resolve. Change the pins that lead there.",
  });
}
