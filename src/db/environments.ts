import { asc, eq } from "drizzle-orm";
import type { EnvironmentName } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { environments } from "./schema.ts";

export interface Environment {
  name: EnvironmentName;
  createdAt: string;
  /** The current generation's number, 0 before the first. */
  generation: number;
}

/** What concurrent changes of an environment compare. */
export interface EnvironmentState extends Environment {
  allowlistRevision: number;
}

const columns = {
  name: environments.name,
  createdAt: environments.createdAt,
  generation: environments.generationCounter,
};
const stateColumns = { ...columns, allowlistRevision: environments.allowlistRevision };

/** By name. */
export const listEnvironments = (tx: Queryable): Promise<Environment[]> =>
  tx.select(columns).from(environments).orderBy(asc(environments.name));

/** `undefined` when the name is taken. */
export async function createEnvironment(tx: Queryable, name: EnvironmentName): Promise<Environment | undefined> {
  const [row] = await tx.insert(environments).values({ name }).onConflictDoNothing().returning(columns);
  return row;
}

export async function getEnvironment(tx: Queryable, name: EnvironmentName): Promise<EnvironmentState | undefined> {
  const [row] = await tx.select(stateColumns).from(environments).where(eq(environments.name, name));
  return row;
}

/** Nobody else changes its allowlist or commits a generation until this transaction ends. */
export async function lockEnvironment(tx: Queryable, name: EnvironmentName): Promise<EnvironmentState | undefined> {
  const [row] = await tx.select(stateColumns).from(environments).where(eq(environments.name, name)).for("update");
  return row;
}
