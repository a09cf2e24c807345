import { eq, sql } from "drizzle-orm";
import {
  defaultPolicy,
  type EnvironmentName,
  type EnvironmentPolicy,
  type Policy,
  type Revocation,
  type Waiver,
} from "../contract/index.ts";
import { lockEnvironment } from "./environments.ts";
import { bumpRevision } from "./packages.ts";
import type { Queryable } from "./queryable.ts";
import { listRevocations } from "./revocations.ts";
import { environments, policies } from "./schema.ts";
import { listWaivers } from "./waivers.ts";

const columns = { policy: policies.policy, updatedAt: policies.updatedAt, updatedBy: policies.updatedBy };

/** All that decides what may come into an environment, as of one moment. */
export interface EffectivePolicy {
  policy: Policy;
  /** Those that have not expired. */
  waivers: Waiver[];
  revocations: Pick<Revocation, "name" | "version" | "reason">[];
  /** The database's clock, milliseconds since 1970: what ages are counted to. */
  now: number;
}

/** The environment must exist. What a stored policy does not say, because it is older, is the default. */
export async function getPolicy(tx: Queryable, environment: EnvironmentName): Promise<EnvironmentPolicy> {
  const [row] = await tx.select(columns).from(policies).where(eq(policies.environment, environment));
  if (row === undefined) return { environment, policy: defaultPolicy };
  const { policy, ...rest } = row;
  return { environment, policy: complete(policy), ...rest };
}

const complete = (stored: Partial<Policy>): Policy => ({
  ...defaultPolicy,
  ...stored,
  caps: { ...defaultPolicy.caps, ...stored.caps },
});

/** In a transaction. What was planned on the policy before is out of date. */
export async function putPolicy(
  tx: Queryable,
  environment: EnvironmentName,
  { policy, updatedBy }: { policy: Policy; updatedBy: string },
): Promise<EnvironmentPolicy> {
  await lockEnvironment(tx, environment);
  const values = { policy, updatedBy };
  await tx
    .insert(policies)
    .values({ environment, ...values })
    .onConflictDoUpdate({ target: policies.environment, set: { ...values, updatedAt: sql`now()` } });
  await bumpRevision(tx, environment);
  return await getPolicy(tx, environment);
}

export async function readEffectivePolicy(tx: Queryable, environment: EnvironmentName): Promise<EffectivePolicy> {
  const { policy } = await getPolicy(tx, environment);
  const waivers = (await listWaivers(tx, environment)).filter(({ expired }) => !expired);
  return { policy, waivers, revocations: await listRevocations(tx), now: await databaseTime(tx) };
}

/** Milliseconds since 1970. */
async function databaseTime(tx: Queryable): Promise<number> {
  const [row] = await tx
    .select({ now: sql<string>`(extract(epoch from clock_timestamp()) * 1000)::bigint::text` })
    .from(environments)
    .limit(1);
  return row === undefined ? Number.NaN : Number(row.now);
}
