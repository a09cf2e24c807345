import type { ExactVersion, PackageName } from "../contract/index.ts";
import { type Packument, type PackumentVersion, publishedAt } from "../npm/index.ts";
import { exoticDependency } from "./exotic.ts";
import { createExtender, type Extender } from "./extensions.ts";
import { createJudge, type Judge, type Release, type Rules } from "./judge-release.ts";

/** The rules of an environment, ready to be applied to packuments. */
export interface Ruleset {
  rules: Rules;
  /** Equal for rules that differ in nothing but the moment. */
  key: string;
  judge: Judge;
  extend: Extender;
  /** Whether a packument says all that the rules ask of it. */
  suffices(packument: Packument): boolean;
}

export function createRuleset(rules: Rules): Ruleset {
  const { minReleaseAgeMs } = rules.policy;
  const { now: _, ...timeless } = rules;
  return {
    rules,
    key: JSON.stringify(timeless),
    judge: createJudge(rules),
    extend: createExtender(rules.policy),
    suffices(packument) {
      if (minReleaseAgeMs === 0 || packument.time !== undefined) return true;
      const modified = publishedAt(packument, "");
      return modified !== undefined && rules.now - modified >= minReleaseAgeMs;
    },
  };
}

/** A version as the rules look at it. */
export function releaseOf(packument: Packument, version: PackumentVersion, registry: string): Release {
  return releasesOf(packument, registry)(version);
}

/** For all of a packument's versions: where the document alone says how old they are, that is read once. */
export function releasesOf(packument: Packument, registry: string): (version: PackumentVersion) => Release {
  const modified = packument.time === undefined ? publishedAt(packument, "") : undefined;
  const name = packument.name as PackageName;
  return (version) => ({
    name,
    version: version.version as ExactVersion,
    registry,
    publishedAt: packument.time === undefined ? modified : publishedAt(packument, version.version),
    deprecated: version.deprecated,
    hasInstallScript: version.hasInstallScript,
    exotic: exoticDependency(version),
  });
}
