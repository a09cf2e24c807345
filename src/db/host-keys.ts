import { and, eq, gt, isNull, or, sql } from "drizzle-orm";
import type { EnvironmentName, Id } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { hosts } from "./schema.ts";

/** What a request of a host is checked against. */
export interface HostKey {
  id: Id;
  environment: EnvironmentName;
  publicKey: string;
}

const columns = { id: hosts.id, environment: hosts.environment, publicKey: hosts.publicKey };

/** In the order of `ids`. `undefined`: unknown, revoked, or a host of the time before hosts had keys. */
export async function getHostKeys(tx: Queryable, ids: readonly Id[]): Promise<(HostKey | undefined)[]> {
  const rows = await tx
    .select(columns)
    .from(hosts)
    .where(and(sql`${hosts.id} in (select jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`, isNull(hosts.revokedAt)));
  const byId = new Map(rows.flatMap(({ publicKey, ...row }) => (publicKey ? [[row.id, { ...row, publicKey }] as const] : [])));
  return ids.map((id) => byId.get(id));
}

export async function findHostByKey(tx: Queryable, publicKey: string): Promise<HostKey | undefined> {
  const [row] = await tx
    .select(columns)
    .from(hosts)
    .where(and(eq(hosts.publicKey, publicKey), isNull(hosts.revokedAt)));
  return row && { ...row, publicKey };
}

/** Whether the host with this key was revoked after `since`. */
export async function wasKeyRevokedSince(tx: Queryable, publicKey: string, since: string): Promise<boolean> {
  const rows = await tx
    .select({ id: hosts.id })
    .from(hosts)
    .where(and(eq(hosts.publicKey, publicKey), gt(hosts.revokedAt, since)))
    .limit(1);
  return rows.length > 0;
}

/** Hosts that joined or were revoked within the last `withinMs`, and what holds of them now: what a replica that missed the notice may have wrong. */
export async function listChangedHosts(tx: Queryable, withinMs: number): Promise<{ id: Id; key: HostKey | undefined }[]> {
  const start = sql`now() - ${withinMs}::float8 * interval '1 millisecond'`;
  const rows = await tx
    .select({ ...columns, revokedAt: hosts.revokedAt })
    .from(hosts)
    .where(or(gt(hosts.createdAt, start), gt(hosts.revokedAt, start)));
  return rows.map(({ id, environment, publicKey, revokedAt }) => ({
    id,
    key: publicKey !== null && revokedAt === null ? { id, environment, publicKey } : undefined,
  }));
}
