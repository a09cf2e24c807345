import { sql } from "drizzle-orm";
import { boolean, index, integer, jsonb, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import type {
  EnvironmentName,
  ErrorBody,
  Id,
  OperationKind,
  OperationResult,
  OperationState,
  Progress,
} from "../../contract/index.ts";
import { countColumn, now, timestampColumn } from "../columns.ts";
import { environments } from "./environments.ts";

/** Facts about this store that are made once: its id, say. */
export const meta = pgTable("meta", {
  key: text("key").primaryKey(),
  value: text("value").notNull(),
});

export const operations = pgTable(
  "operations",
  {
    id: text("id").$type<Id>().primaryKey(),
    /** The order in which they were asked for. */
    sequence: countColumn("sequence").generatedAlwaysAsIdentity().notNull(),
    kind: text("kind").$type<OperationKind>().notNull(),
    /** Null for what concerns the whole blob store. */
    environment: text("environment")
      .$type<EnvironmentName>()
      .references(() => environments.name),
    input: jsonb("input").$type<Record<string, unknown>>(),
    state: text("state").$type<OperationState>().notNull().default("queued"),
    attempt: integer("attempt").notNull().default(1),
    /** The interrupted operation that this one tries again. */
    retryOf: text("retry_of").$type<Id>(),
    requestedBy: text("requested_by").notNull(),
    createdAt: timestampColumn("created_at").notNull().default(now),
    startedAt: timestampColumn("started_at"),
    endedAt: timestampColumn("ended_at"),
    progress: jsonb("progress").$type<Progress>(),
    result: jsonb("result").$type<OperationResult>(),
    error: jsonb("error").$type<ErrorBody>(),
    /** Of the election that claimed it. */
    epoch: countColumn("epoch"),
    cancelRequested: boolean("cancel_requested").notNull().default(false),
  },
  (table) => [
    index("operations_sequence").on(table.sequence),
    uniqueIndex("operations_one_active").on(table.environment, table.kind).where(sql`state in ('queued', 'running')`),
    uniqueIndex("operations_one_active_store_wide")
      .on(table.kind)
      .where(sql`environment is null and state in ('queued', 'running')`),
  ],
);

/** One row for ever. Whoever takes the election increments `epoch`; every write of its reign says `where epoch = mine`. */
export const election = pgTable("election", {
  id: integer("id").primaryKey(),
  epoch: countColumn("epoch").notNull(),
  holder: text("holder"),
  electedAt: timestampColumn("elected_at"),
});
