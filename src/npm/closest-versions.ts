import compare from "semver/functions/compare.js";
import type { ExactVersion } from "../contract/index.ts";

/** Ascending, by precedence. */
export const sortVersions = <V extends string>(versions: Iterable<V>): V[] =>
  [...versions].sort((a, b) => compare(a, b) || (a < b ? -1 : 1));

/** The highest of `versions` that is no pre-release, or, when there is none, the highest. */
export function highestVersion(versions: Iterable<ExactVersion>): ExactVersion | undefined {
  const sorted = sortVersions(versions);
  return sorted.findLast((version) => !version.includes("-")) ?? sorted.at(-1);
}

/** Up to `count` of `versions` around `wanted`, ascending: what somebody who mistyped a version most likely meant. */
export function closestVersions(versions: Iterable<ExactVersion>, wanted: ExactVersion, count = 4): ExactVersion[] {
  const sorted = sortVersions(versions);
  const after = sorted.findIndex((version) => compare(version, wanted) > 0);
  const middle = after === -1 ? sorted.length : after;
  const start = Math.max(0, Math.min(middle - Math.ceil(count / 2), sorted.length - count));
  return sorted.slice(start, start + count);
}
