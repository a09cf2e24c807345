import { and, desc, eq, gte, lt, or, sql } from "drizzle-orm";
import type { AuditPage, AuditQuery, AuditRecord } from "../contract/index.ts";
import { cutPage } from "./page.ts";
import type { Queryable } from "./queryable.ts";
import { auditLog } from "./schema.ts";
import { withoutNulls } from "./without-nulls.ts";

export interface AuditEntry {
  /** Who: a token's subject, or `system`. */
  actor: string;
  /** What, as `noun.verb`: `package.add`, `host.revoke`. */
  action: string;
  /** On what: `default/lodash`, a host's id. */
  target: string;
  /** No secrets. */
  details?: Record<string, unknown>;
}

/** One row per admin change, in that change's own transaction. */
export async function recordAudit(tx: Queryable, entry: AuditEntry): Promise<void> {
  await tx.insert(auditLog).values(entry);
}

/** @internal As `pageOfAudit`, for tests. */
export async function listAudit(tx: Queryable, query: Partial<AuditQuery> = {}): Promise<AuditRecord[]> {
  return (await pageOfAudit(tx, query)).items;
}

/** Newest first. An action's noun stands for all of its verbs, a target for all below it. */
export async function pageOfAudit(tx: Queryable, query: Partial<AuditQuery>): Promise<AuditPage> {
  const { actor, action, target, since, until, after, limit = 100 } = query;
  const rows = await tx
    .select()
    .from(auditLog)
    .where(
      and(
        actor === undefined ? undefined : eq(auditLog.actor, actor),
        action === undefined ? undefined : or(eq(auditLog.action, action), sql`starts_with(${auditLog.action}, ${`${action}.`})`),
        target === undefined ? undefined : or(eq(auditLog.target, target), sql`starts_with(${auditLog.target}, ${`${target}/`})`),
        since === undefined ? undefined : gte(auditLog.at, since),
        until === undefined ? undefined : lt(auditLog.at, until),
        after === undefined ? undefined : lt(auditLog.id, after),
      ),
    )
    .orderBy(desc(auditLog.id))
    .limit(limit + 1);
  return cutPage(rows, { limit, itemOf: withoutNulls, cursorOf: ({ id }) => id });
}
