import { and, asc, desc, eq, sql } from "drizzle-orm";
import type { ExactVersion, PackageName, Revocation } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { environments, revocations } from "./schema.ts";
import { withoutNulls } from "./without-nulls.ts";

const columns = {
  name: revocations.name,
  version: revocations.version,
  reason: revocations.reason,
  revokedBy: revocations.revokedBy,
  revokedAt: revocations.revokedAt,
};

/** Newest first. */
export async function listRevocations(tx: Queryable): Promise<Revocation[]> {
  const rows = await tx.select(columns).from(revocations).orderBy(desc(revocations.revokedAt), asc(revocations.name));
  return rows.map(withoutNulls);
}

/** In a transaction. `undefined`: it is revoked already. What was planned in any environment is out of date. */
export async function insertRevocation(
  tx: Queryable,
  revocation: Omit<Revocation, "revokedAt">,
): Promise<Revocation | undefined> {
  const [row] = await tx.insert(revocations).values(revocation).onConflictDoNothing().returning(columns);
  if (row) await bumpAllRevisions(tx);
  return row && withoutNulls(row);
}

/** In a transaction. `undefined`: it was not revoked. */
export async function deleteRevocation(
  tx: Queryable,
  { name, version }: { name: PackageName; version: ExactVersion },
): Promise<Revocation | undefined> {
  const [row] = await tx
    .delete(revocations)
    .where(and(eq(revocations.name, name), eq(revocations.version, version)))
    .returning(columns);
  if (row) await bumpAllRevisions(tx);
  return row && withoutNulls(row);
}

/** Locks them in one order, which is by name. */
async function bumpAllRevisions(tx: Queryable): Promise<void> {
  await tx.select({ name: environments.name }).from(environments).orderBy(asc(environments.name)).for("update");
  await tx.update(environments).set({ allowlistRevision: sql`${environments.allowlistRevision} + 1` });
}
