import { and, desc, eq, sql } from "drizzle-orm";
import type { EnvironmentName, Id, Waiver } from "../contract/index.ts";
import { lockEnvironment } from "./environments.ts";
import { bumpRevision } from "./packages.ts";
import type { Queryable } from "./queryable.ts";
import { waivers } from "./schema.ts";
import { withoutNulls } from "./without-nulls.ts";

const columns = {
  id: waivers.id,
  environment: waivers.environment,
  rule: waivers.rule,
  name: waivers.name,
  range: waivers.range,
  registry: waivers.registry,
  reason: waivers.reason,
  createdBy: waivers.createdBy,
  createdAt: waivers.createdAt,
  expiresAt: waivers.expiresAt,
  expired: sql<boolean>`coalesce(${waivers.expiresAt} <= clock_timestamp(), false)`,
};

export interface WaiverToInsert extends Omit<Waiver, "createdAt" | "expiresAt" | "expired"> {
  /** From now; absent: never. */
  expiresInMs?: number | undefined;
}

/** Newest first, expired ones too. */
export async function listWaivers(tx: Queryable, environment: EnvironmentName): Promise<Waiver[]> {
  const rows = await tx
    .select(columns)
    .from(waivers)
    .where(eq(waivers.environment, environment))
    .orderBy(desc(waivers.createdAt), desc(waivers.id));
  return rows.map(withoutNulls);
}

/** In a transaction. The environment must exist. What was planned before is out of date. */
export async function insertWaiver(tx: Queryable, { expiresInMs, ...waiver }: WaiverToInsert): Promise<Waiver> {
  await lockEnvironment(tx, waiver.environment);
  const expiresAt = expiresInMs === undefined ? null : sql`now() + ${expiresInMs}::float8 * interval '1 millisecond'`;
  const [row] = await tx
    .insert(waivers)
    .values({ ...waiver, expiresAt })
    .returning(columns);
  if (row === undefined) throw new Error("inserting a waiver returned no row");
  await bumpRevision(tx, waiver.environment);
  return withoutNulls(row);
}

/** In a transaction. `undefined`: there was none. */
export async function deleteWaiver(tx: Queryable, environment: EnvironmentName, id: Id): Promise<Waiver | undefined> {
  await lockEnvironment(tx, environment);
  const [row] = await tx
    .delete(waivers)
    .where(and(eq(waivers.environment, environment), eq(waivers.id, id)))
    .returning(columns);
  if (row) await bumpRevision(tx, environment);
  return row && withoutNulls(row);
}
