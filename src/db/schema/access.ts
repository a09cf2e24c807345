import { index, jsonb, pgTable, text } from "drizzle-orm/pg-core";
import type { EnvironmentName, Id, Role } from "../../contract/index.ts";
import { countColumn, now, timestampColumn } from "../columns.ts";

export const tokens = pgTable("tokens", {
  id: text("id").$type<Id>().primaryKey(),
  role: text("role").$type<Role>().notNull(),
  subject: text("subject").notNull(),
  hash: text("hash").notNull().unique("tokens_hash"),
  environment: text("environment").$type<EnvironmentName>(),
  hostId: text("host_id").$type<Id>(),
  createdAt: timestampColumn("created_at").notNull().default(now),
  lastUsedAt: timestampColumn("last_used_at"),
  revokedAt: timestampColumn("revoked_at"),
});

/** Signed-in browsers. Each has the role of its token, and is worth nothing once that is revoked. */
export const sessions = pgTable(
  "sessions",
  {
    id: text("id").$type<Id>().primaryKey(),
    hash: text("hash").notNull().unique("sessions_hash"),
    tokenId: text("token_id")
      .$type<Id>()
      .notNull()
      .references(() => tokens.id),
    createdAt: timestampColumn("created_at").notNull().default(now),
    expiresAt: timestampColumn("expires_at").notNull(),
  },
  (table) => [index("sessions_token_id").on(table.tokenId, table.createdAt)],
);

export const auditLog = pgTable(
  "audit_log",
  {
    id: countColumn("id").generatedAlwaysAsIdentity().primaryKey(),
    at: timestampColumn("at").notNull().default(now),
    actor: text("actor").notNull(),
    action: text("action").notNull(),
    target: text("target").notNull(),
    details: jsonb("details").$type<Record<string, unknown>>(),
  },
  (table) => [index("audit_log_at").on(table.at)],
);
