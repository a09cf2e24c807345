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

/** `undefined`: unknown, revoked, or a host of the time before hosts had keys. */
export async function getHostKey(tx: Queryable, id: Id): Promise<HostKey | undefined> {
  const [row] = await tx
    .select(columns)
    .from(hosts)
    .where(and(eq(hosts.id, id), isNull(hosts.revokedAt)));
  return row?.publicKey ? { ...row, publicKey: row.publicKey } : undefined;
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

/** Hosts that joined or were revoked within the last `withinMs`: what a replica that missed the notice knows is wrong. */
export async function listChangedHosts(tx: Queryable, withinMs: number): Promise<Id[]> {
  const start = sql`now() - ${withinMs}::float8 * interval '1 millisecond'`;
  const rows = await tx
    .select({ id: hosts.id })
    .from(hosts)
    .where(or(gt(hosts.createdAt, start), gt(hosts.revokedAt, start)));
  return rows.map(({ id }) => id);
}
