import type {
  EnvironmentName,
  ExactVersion,
  Finding,
  Manifest,
  ManifestNode,
  NodeId,
  PackageName,
  Policy,
  PolicyTest,
} from "../../contract/index.ts";
import { listPackages } from "../../db/index.ts";
import { createJudge, createRuleset, fetchPackument, type Judge, type Release, releaseOf } from "../../gateway/index.ts";
import { mapConcurrent } from "../../lib/index.ts";
import { labelOf, pathsFromRoots, releaseFrom } from "../install/check-graph.ts";
import { type InstallPlan, readInputs } from "../install/read-inputs.ts";
import type { Planner, PlannerOptions } from "./planner.ts";

export interface PolicyToTest {
  environment: EnvironmentName;
  policy: Policy;
  signal: AbortSignal;
}

/** What the changed policy says today of what the current generation holds and the allowlist names, and what an install would do under it. */
export async function testPolicy(
  options: PlannerOptions,
  planner: Planner,
  { environment, policy, signal }: PolicyToTest,
): Promise<PolicyTest> {
  const inputs = await readInputs(options, environment);
  const changed = { ...inputs.rules, policy };
  const subjects = await listSubjects(options, inputs);
  const releases = await readReleases(options, { inputs, subjects, policies: [inputs.rules.policy, policy], signal });
  const [before, after] = [createJudge(inputs.rules), createJudge(changed)];
  const refusedBefore = findingsOf(releases, subjects, before).refusals;
  const { refusals, flags } = findingsOf(releases, subjects, after);
  const keyOf = ({ name, version, rule }: Finding) => `${name}@${version} ${rule}`;
  const [had, has] = [new Set(refusedBefore.map(keyOf)), new Set(refusals.map(keyOf))];
  return {
    environment,
    refused: refusals.map((finding) => ({ ...finding, already: had.has(keyOf(finding)) })),
    flagged: flags,
    released: refusedBefore.filter((finding) => !has.has(keyOf(finding))),
    plan: await planner.plan({ environment, policy, signal }),
  };
}

interface Subject {
  name: PackageName;
  version: ExactVersion;
  path: string[];
  hasInstallScript: boolean | undefined;
}

async function listSubjects({ db }: PlannerOptions, inputs: InstallPlan): Promise<Map<string, Subject>> {
  const subjects = new Map<string, Subject>();
  const manifest: Manifest | undefined = inputs.previous?.manifest;
  const paths = manifest ? pathsFromRoots(manifest) : new Map<NodeId, string[]>();
  for (const [id, { name, version, hasInstallScript }] of Object.entries(manifest?.nodes ?? {}) as [NodeId, ManifestNode][]) {
    const label = labelOf({ name, version });
    if (!subjects.has(label)) subjects.set(label, { name, version, hasInstallScript, path: paths.get(id) ?? [label] });
  }
  for (const { name, version } of await listPackages(db.query, inputs.environment)) {
    const label = labelOf({ name, version });
    if (!subjects.has(label)) subjects.set(label, { name, version, hasInstallScript: undefined, path: [label] });
  }
  return subjects;
}

interface ReleasesInput {
  inputs: InstallPlan;
  subjects: ReadonlyMap<string, Subject>;
  policies: Policy[];
  signal: AbortSignal;
}

/** As the registry says now; as it said last of what it does not have any more. */
async function readReleases(
  { registry, cache }: PlannerOptions,
  { inputs, subjects, policies, signal }: ReleasesInput,
): Promise<Map<string, Release>> {
  const strictest = Math.max(...policies.map(({ minReleaseAgeMs }) => minReleaseAgeMs));
  const policy = { ...inputs.rules.policy, minReleaseAgeMs: strictest };
  const { suffices } = createRuleset({ ...inputs.rules, policy });
  const releases = new Map<string, Release>();
  const names = [...new Set([...subjects.values()].map(({ name }) => name))];
  await mapConcurrent(names, { limit: 16, signal }, async (name) => {
    const packument = await fetchPackument({ client: registry, cache }, name, { signal, suffices });
    for (const [label, subject] of subjects) {
      if (subject.name !== name) continue;
      const declared = packument?.versions[subject.version];
      const { hasInstallScript } = subject;
      const remembered = { ...releaseFrom(subject, inputs.previous?.facts.get(label), registry.hostOf(name)), hasInstallScript };
      releases.set(label, packument && declared ? releaseOf(packument, declared, registry.hostOf(name)) : remembered);
    }
  });
  return releases;
}

function findingsOf(releases: ReadonlyMap<string, Release>, subjects: ReadonlyMap<string, Subject>, judge: Judge) {
  const refusals: Finding[] = [];
  const flags: Finding[] = [];
  for (const [label, { path }] of subjects) {
    const release = releases.get(label);
    if (release === undefined) continue;
    const verdict = judge(release);
    refusals.push(...verdict.refusals.map((finding) => ({ ...finding, path })));
    flags.push(...verdict.flags.map((finding) => ({ ...finding, path })));
  }
  return { refusals, flags };
}
