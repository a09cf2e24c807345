import {
  type EnvironmentName,
  type Generation,
  LarderError,
  type LockfileHash,
  type PackageEntry,
  type Platform,
} from "../../contract/index.ts";
import { currentGeneration, type Db, getLockfile, getReleases, readAllowlist, readEffectivePolicy } from "../../db/index.ts";
import type { Rules } from "../../gateway/index.ts";
import type { ManifestReader } from "../generations/manifest-reader.ts";
import { readManifest as readManifestOf } from "../generations/read-changes.ts";
import { wantedPlatforms } from "../wanted-platforms.ts";
import { labelOf } from "./check-graph.ts";
import type { Pin, PreviousResolve } from "./resolve.ts";

/** What an install starts from. */
export interface InstallPlan {
  environment: EnvironmentName;
  /** Of the allowlist and the policy. */
  revision: number;
  /** The allowlist, also what is disabled. */
  entries: readonly PackageEntry[];
  packages: Pin[];
  rules: Rules;
  platforms: Platform[];
  current: Generation | undefined;
  previous: PreviousResolve | undefined;
}

/** Throws `E_NOT_FOUND`. The revision is read first: a policy that is changed meanwhile makes the commit stale. */
export async function readInputs(
  { db, platforms, readManifest }: { db: Db; platforms: readonly Platform[]; readManifest?: ManifestReader },
  environment: EnvironmentName,
): Promise<InstallPlan> {
  const allowlist = await readAllowlist(db.query, environment);
  if (allowlist === undefined) throw new LarderError("E_NOT_FOUND", `There is no environment ${environment}.`);
  const current = await currentGeneration(db.query, environment);
  return {
    environment,
    revision: allowlist.revision,
    entries: allowlist.packages,
    packages: allowlist.packages.filter(({ enabled }) => enabled).map(({ name, version }) => ({ name, version })),
    rules: { environment, ...(await readEffectivePolicy(db.query, environment)) },
    platforms: await wantedPlatforms(db.query, { environment, platforms }),
    current,
    previous: current && (await previousResolve({ db, readManifest }, current.lockfileHash)),
  };
}

async function previousResolve(
  { db, readManifest = readManifestOf }: { db: Db; readManifest: ManifestReader | undefined },
  hash: LockfileHash,
): Promise<PreviousResolve | undefined> {
  const [manifest, lock] = [await readManifest(db.query, hash), await getLockfile(db.query, hash)];
  if (manifest === undefined || lock === undefined) return undefined;
  const names = [...new Set(Object.values(manifest.nodes).map(({ name }) => name))];
  const facts = await getReleases(db.query, names);
  return { lockfileHash: hash, manifest, ...lock, facts: new Map(facts.map((release) => [labelOf(release), release])) };
}
