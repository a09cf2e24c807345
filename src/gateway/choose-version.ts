import type { Choice, ExactVersion, Finding } from "../contract/index.ts";
import { highestVersion, latestVersion, sortVersions } from "../npm/index.ts";
import { rangeTest } from "./judge-release.ts";
import type { ServedPackument } from "./served-packument.ts";

const passedOverListed = 5;

/**
 * The version to pin where none was asked for: the registry's latest if policy allows it, else the newest allowed release that is older, else the newest allowed one;
 * with a range, of what is in it. `undefined`: policy allows none. Pure.
 */
export function chooseVersion({ packument, versions, hidden }: ServedPackument, range?: string): Choice | undefined {
  const { name } = packument;
  const latest = latestVersion(packument);
  const suits = range === undefined ? () => true : rangeTest(range);
  if (latest !== undefined && versions.has(latest) && suits(latest)) {
    return { name, version: latest, latest, why: "It is the registry's latest.", passedOver: [] };
  }
  const suitable = new Set([...versions].filter(suits));
  const version = (range === undefined ? newestUpTo(suitable, latest) : newestRelease(suitable)) ?? highestVersion(suitable);
  if (version === undefined) return undefined;
  const passedOver = newerThan(new Map([...hidden].filter(([other]) => suits(other))), version);
  return { name, version, ...(latest && { latest }), why: whyOf(version, { latest, range, hidden }), passedOver };
}

function whyOf(
  version: ExactVersion,
  { latest, range, hidden }: { latest: ExactVersion | undefined; range: string | undefined } & Pick<ServedPackument, "hidden">,
): string {
  if (range !== undefined) return `${version} is the newest in ${range} that policy allows.`;
  return latest
    ? `The registry's latest is ${latest}: ${hidden.get(latest)?.[0]?.message ?? "it cannot be used."} ${version} is the newest that policy allows.`
    : `The registry does not say which version is the latest. ${version} is the newest that policy allows.`;
}

const newestRelease = (versions: ReadonlySet<ExactVersion>): ExactVersion | undefined =>
  sortVersions([...versions]).findLast((version) => !version.includes("-"));

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
