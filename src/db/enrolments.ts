import { and, desc, eq, isNull, sql } from "drizzle-orm";
import type { Enrolment, EnvironmentName, HostLabels, Id } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { enrolments } from "./schema.ts";
import { withoutNulls } from "./without-nulls.ts";

const columns = {
  id: enrolments.id,
  environment: enrolments.environment,
  hostId: enrolments.hostId,
  labels: enrolments.labels,
  uses: enrolments.uses,
  used: enrolments.used,
  createdAt: enrolments.createdAt,
  createdBy: enrolments.createdBy,
  expiresAt: enrolments.expiresAt,
  state: sql<
    Enrolment["state"]
  >`case when ${enrolments.revokedAt} is not null then 'revoked' when ${enrolments.used} >= ${enrolments.uses} then 'used'
    when ${enrolments.expiresAt} <= now() then 'expired' else 'open' end`,
};

export interface EnrolmentToCreate {
  id: Id;
  /** The caller's, of the text: the text itself never comes here. */
  hash: string;
  environment: EnvironmentName;
  hostId?: Id | undefined;
  labels: HostLabels;
  uses: number;
  expiresInMs: number;
  createdBy: string;
}

export async function createEnrolment(tx: Queryable, { expiresInMs, ...enrolment }: EnrolmentToCreate): Promise<Enrolment> {
  const expiresAt = sql`now() + ${expiresInMs}::float8 * interval '1 millisecond'`;
  const [row] = await tx
    .insert(enrolments)
    .values({ ...enrolment, expiresAt })
    .returning(columns);
  if (!row) throw new Error("createEnrolment: no row");
  return withoutNulls(row);
}

/** In any state: whoever has the text may hear why it is worth nothing any more. Nobody else joins with it until this transaction ends. */
export async function lockEnrolment(tx: Queryable, hash: string): Promise<Enrolment | undefined> {
  const [row] = await tx.select(columns).from(enrolments).where(eq(enrolments.hash, hash)).for("update");
  return row && withoutNulls(row);
}

/** One more host has joined. Call with it locked and open. */
export async function useEnrolment(tx: Queryable, id: Id): Promise<void> {
  await tx
    .update(enrolments)
    .set({ used: sql`${enrolments.used} + 1` })
    .where(eq(enrolments.id, id));
}

/** Newest first. */
export async function listEnrolments(tx: Queryable): Promise<Enrolment[]> {
  const rows = await tx.select(columns).from(enrolments).orderBy(desc(enrolments.createdAt), desc(enrolments.id)).limit(1000);
  return rows.map(withoutNulls);
}

/** `undefined`: no such enrolment, or revoked before. */
export async function revokeEnrolment(tx: Queryable, id: Id): Promise<Enrolment | undefined> {
  const [row] = await tx
    .update(enrolments)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(enrolments.id, id), isNull(enrolments.revokedAt)))
    .returning(columns);
  return row && withoutNulls(row);
}
