import { desc } from "drizzle-orm";
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

export interface AuditRecord extends AuditEntry {
  id: number;
  at: string;
}

/** One row per admin change, in that change's own transaction. */
export async function recordAudit(tx: Queryable, entry: AuditEntry): Promise<void> {
  await tx.insert(auditLog).values(entry);
}

/** Newest first. @internal */
export async function listAudit(tx: Queryable, limit = 100): Promise<AuditRecord[]> {
  const rows = await tx.select().from(auditLog).orderBy(desc(auditLog.id)).limit(limit);
  return rows.map(withoutNulls);
}
