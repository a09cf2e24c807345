import Range from "semver/classes/range.js";
import SemVer from "semver/classes/semver.js";
import type {
  EnvironmentName,
  ExactVersion,
  Finding,
  PackageName,
  Policy,
  Revocation,
  WaivableRule,
  Waiver,
} from "../contract/index.ts";
import { type ExoticDependency, explain } from "./explain-rule.ts";

/** All that decides what may come into one environment, as of one moment. */
export interface Rules {
  environment: EnvironmentName;
  policy: Policy;
  /** Those in force. */
  waivers: readonly Waiver[];
  revocations: readonly Pick<Revocation, "name" | "version" | "reason">[];
  /** The database's clock, milliseconds since 1970. */
  now: number;
}

/** What is known of one version. */
export interface Release {
  name: PackageName;
  version: ExactVersion;
  /** Host of the registry that has it. */
  registry: string;
  /** Milliseconds since 1970; the latest that it can have been. `undefined`: nobody says. */
  publishedAt: number | undefined;
  deprecated?: string | undefined;
  hasInstallScript?: boolean | undefined;
  /** A dependency that leads out of the registry. */
  exotic?: ExoticDependency | undefined;
}

export interface Verdict {
  refusals: Finding[];
  flags: Finding[];
  /** Refused but for a waiver. */
  waived: Finding[];
}

export type Judge = (release: Release) => Verdict;

/** Pure: the same rules and the same release give the same verdict. Waivers lift refusals; flags stay. */
export function createJudge(rules: Rules): Judge {
  const { policy, now } = rules;
  const blocked = groupBy(policy.blocked.map((entry) => ({ ...entry, test: rangeTest(entry.range) })));
  const revoked = groupBy(rules.revocations);
  const waivers = createWaiverLookup(rules.waivers);

  return (release) => {
    const verdict: Verdict = { refusals: [], flags: [], waived: [] };
    const { name, version } = release;
    const refuse = (finding: Finding) => {
      const waiver = finding.rule === "exotic" || finding.rule === "revoked" ? undefined : waivers(finding.rule, release);
      if (waiver === undefined) verdict.refusals.push(finding);
      else verdict.waived.push({ ...finding, waiver });
    };
    const act = (action: Policy["deprecated"], finding: () => Finding) => {
      if (action === "refuse") refuse(finding());
      else if (action === "flag") verdict.flags.push(finding());
    };
    // Most versions give no cause to say anything.
    const say = () => explain(rules, release);

    const revocation = revoked.get(name)?.find((entry) => entry.version === version);
    if (revocation) refuse(say().revoked(revocation.reason));
    const block = blocked.get(name)?.find(({ test }) => test(version));
    if (block) refuse(say().blocked(block));
    if (release.exotic) refuse(say().exotic(release.exotic));
    if (policy.minReleaseAgeMs > 0) {
      const { publishedAt } = release;
      if (publishedAt === undefined || publishedAt > now) refuse(say().unknownAge());
      else if (now - publishedAt < policy.minReleaseAgeMs) refuse(say().releaseAge(publishedAt));
    }
    const { deprecated } = release;
    if (deprecated !== undefined) act(policy.deprecated, () => say().deprecated(deprecated));
    if (release.hasInstallScript) act(policy.installScripts, () => say().installScripts());
    return verdict;
  };
}

/** The id of a waiver that lifts the rule from the release. */
function createWaiverLookup(waivers: readonly Waiver[]): (rule: WaivableRule, release: Release) => string | undefined {
  const named = groupBy(
    waivers.flatMap((waiver) =>
      waiver.name === undefined ? [] : [{ ...waiver, name: waiver.name, test: rangeTest(waiver.range ?? "*") }],
    ),
  );
  const registries = waivers.filter(({ registry }) => registry !== undefined);
  return (rule, { name, version, registry }) =>
    (
      named.get(name)?.find((waiver) => waiver.rule === rule && waiver.test(version)) ??
      registries.find((waiver) => waiver.rule === rule && waiver.registry === registry)
    )?.id;
}

/** Pre-releases count as what they are: `*` and `>=1.0.0` hold them. What is no range holds nothing. */
export function rangeTest(range: string): (version: string) => boolean {
  try {
    const parsed = new Range(range, { includePrerelease: true, loose: true });
    return (version) => parsed.test(new SemVer(version, { loose: true }));
  } catch {
    return () => false;
  }
}

export function isVersionRange(range: string): boolean {
  try {
    return new Range(range, { loose: true }).range !== undefined;
  } catch {
    return false;
  }
}

function groupBy<T extends { name: PackageName }>(entries: readonly T[]): Map<PackageName, T[]> {
  const groups = new Map<PackageName, T[]>();
  for (const entry of entries) groups.set(entry.name, [...(groups.get(entry.name) ?? []), entry]);
  return groups;
}
