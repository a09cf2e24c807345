import { and, count, desc, eq, inArray, sql } from "drizzle-orm";
import type { EnvironmentName, Id, PackageName, PackageRequest } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { packageRequests } from "./schema.ts";
import { withoutNulls } from "./without-nulls.ts";

type Row = typeof packageRequests.$inferSelect;

const listed = 200;

/** Open ones first, then the latest. */
export async function listPackageRequests(tx: Queryable, environment: EnvironmentName): Promise<PackageRequest[]> {
  const rows = await tx
    .select()
    .from(packageRequests)
    .where(eq(packageRequests.environment, environment))
    .orderBy(desc(sql`${packageRequests.state} = 'open'`), desc(packageRequests.requestedAt))
    .limit(listed);
  return rows.map(asRequest);
}

export async function countOpenPackageRequests(tx: Queryable, environment: EnvironmentName): Promise<number> {
  const [row] = await tx.select({ open: count() }).from(packageRequests).where(isOpen(environment));
  return row?.open ?? 0;
}

/** The new one, or the one that is open for that name already. */
export async function openPackageRequest(
  tx: Queryable,
  { id, environment, name, reason, requestedBy }: Pick<PackageRequest, "id" | "environment" | "name" | "reason" | "requestedBy">,
): Promise<{ request: PackageRequest; joined: boolean }> {
  const [row] = await tx
    .insert(packageRequests)
    .values({ id, environment, name, reason: reason ?? null, requestedBy, state: "open" })
    .onConflictDoNothing()
    .returning();
  if (row) return { request: asRequest(row), joined: false };
  const [open] = await tx
    .select()
    .from(packageRequests)
    .where(and(isOpen(environment), eq(packageRequests.name, name)));
  if (open === undefined) throw new Error(`the request for ${name} was decided meanwhile`);
  return { request: asRequest(open), joined: true };
}

/** What is open for these packages has what it wanted. */
export async function approvePackageRequests(
  tx: Queryable,
  environment: EnvironmentName,
  { names, decidedBy }: { names: PackageName[]; decidedBy: string },
): Promise<void> {
  await tx
    .update(packageRequests)
    .set({ state: "approved", decidedBy, decidedAt: sql`now()` })
    .where(and(isOpen(environment), inArray(packageRequests.name, names)));
}

/** `undefined`: there is no such request that is open. */
export async function declinePackageRequest(
  tx: Queryable,
  environment: EnvironmentName,
  { id, answer, decidedBy }: { id: Id; answer?: string | undefined; decidedBy: string },
): Promise<PackageRequest | undefined> {
  const [row] = await tx
    .update(packageRequests)
    .set({ state: "declined", answer: answer ?? null, decidedBy, decidedAt: sql`now()` })
    .where(and(isOpen(environment), eq(packageRequests.id, id)))
    .returning();
  return row && asRequest(row);
}

const isOpen = (environment: EnvironmentName) =>
  and(eq(packageRequests.environment, environment), eq(packageRequests.state, "open"));

const asRequest = (row: Row): PackageRequest => withoutNulls(row) as PackageRequest;
