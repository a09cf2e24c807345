import type { Choice, ExactVersion, Finding } from "../contract/index.ts";
import { highestVersion, latestVersion, sortVersions } from "../npm/index.ts";
import type { ServedPackument } from "./served-packument.ts";

const passedOverListed = 5;

/**
 * The version to pin where none was asked for: the registry's latest if policy allows it, else the newest allowed release that is older, else the newest allowed one.
 * `undefined`: policy allows none. Pure.
 */
export function chooseVersion({ packument, versions, hidden }: ServedPackument): Choice | undefined {
  const { name } = packument;
  const latest = latestVersion(packument);
  if (latest !== undefined && versions.has(latest)) {
    return { name, version: latest, latest, why: "It is the registry's latest.", passedOver: [] };
  }
  const version = newestUpTo(versions, latest) ?? highestVersion(versions);
  if (version === undefined) return undefined;
  const passedOver = newerThan(hidden, version);
  const why = latest
    ? `The registry's latest is ${latest}: ${hidden.get(latest)?.[0]?.message ?? "it cannot be used."} ${version} is the newest that policy allows.`
    : `The registry does not say which version is the latest. ${version} is the newest that policy allows.`;
  return { name, version, ...(latest && { latest }), why, passedOver };
}

function newestUpTo(versions: ReadonlySet<ExactVersion>, limit: ExactVersion | undefined): ExactVersion | undefined {
  if (limit === undefined) return undefined;
  const sorted = sortVersions([...versions, limit]);
  return sorted.slice(0, sorted.indexOf(limit)).findLast((version) => !version.includes("-"));
}

/** Newest first; releases only, unless a pre-release was chosen. */
function newerThan(hidden: ReadonlyMap<ExactVersion, Finding[]>, version: ExactVersion): Finding[] {
  const sorted = sortVersions([...hidden.keys(), version]);
  const newer = sorted.slice(sorted.lastIndexOf(version) + 1).filter((other) => version.includes("-") || !other.includes("-"));
  return newer
    .reverse()
    .flatMap((other) => hidden.get(other)?.[0] ?? [])
    .slice(0, passedOverListed);
}
