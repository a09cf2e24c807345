import type { ExactVersion, PackageName } from "../contract/index.ts";
import { type Packument, type PackumentVersion, publishedAt } from "../npm/index.ts";
import { exoticDependency } from "./exotic.ts";
import { createExtender, type Extender } from "./extensions.ts";
import { createJudge, type Judge, type Release, type Rules } from "./judge-release.ts";

/** The rules of an environment, ready to be applied to packuments. */
export interface Ruleset {
  rules: Rules;
  judge: Judge;
  extend: Extender;
  /** Whether a packument says all that the rules ask of it. */
  suffices(packument: Packument): boolean;
}

export function createRuleset(rules: Rules): Ruleset {
  const { minReleaseAgeMs } = rules.policy;
  return {
    rules,
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
  const { deprecated, hasInstallScript } = version;
  return {
    name: packument.name as PackageName,
    version: version.version as ExactVersion,
    registry,
    publishedAt: publishedAt(packument, version.version),
    deprecated,
    hasInstallScript,
    exotic: exoticDependency(version),
  };
}
