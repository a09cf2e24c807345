import {
  type EnvironmentName,
  type Generation,
  LarderError,
  type LockfileHash,
  type Platform,
  parseManifest,
} from "../../contract/index.ts";
import {
  currentGeneration,
  type Db,
  getAllowlist,
  getLockfile,
  getManifest,
  getReleases,
  readEffectivePolicy,
} from "../../db/index.ts";
import type { Rules } from "../../gateway/index.ts";
import { wantedPlatforms } from "../wanted-platforms.ts";
import { labelOf } from "./check-graph.ts";
import type { Pin, PreviousResolve } from "./resolve.ts";

/** What an install starts from. */
export interface InstallPlan {
  environment: EnvironmentName;
  /** Of the allowlist and the policy. */
  revision: number;
  packages: Pin[];
  rules: Rules;
  platforms: Platform[];
  current: Generation | undefined;
  previous: PreviousResolve | undefined;
}

/** Throws `E_NOT_FOUND`. The revision is read first: a policy that is changed meanwhile makes the commit stale. */
export async function readInputs(
  { db, platforms }: { db: Db; platforms: readonly Platform[] },
  environment: EnvironmentName,
): Promise<InstallPlan> {
  const allowlist = await getAllowlist(db.query, environment);
  if (allowlist === undefined) throw new LarderError("E_NOT_FOUND", `There is no environment ${environment}.`);
  const current = await currentGeneration(db.query, environment);
  return {
    environment,
    revision: allowlist.revision,
    packages: allowlist.packages.filter(({ enabled }) => enabled).map(({ name, version }) => ({ name, version })),
    rules: { environment, ...(await readEffectivePolicy(db.query, environment)) },
    platforms: await wantedPlatforms(db.query, { environment, platforms }),
    current,
    previous: current && (await previousResolve({ db }, current.lockfileHash)),
  };
}

async function previousResolve({ db }: { db: Db }, hash: LockfileHash): Promise<PreviousResolve | undefined> {
  const [stored, lock] = [await getManifest(db.query, hash), await getLockfile(db.query, hash)];
  if (stored === undefined || lock === undefined) return undefined;
  const manifest = parseManifest(stored.body);
  const names = [...new Set(Object.values(manifest.nodes).map(({ name }) => name))];
  const facts = await getReleases(db.query, names);
  return { lockfileHash: hash, manifest, ...lock, facts: new Map(facts.map((release) => [labelOf(release), release])) };
}
