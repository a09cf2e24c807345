import { sql } from "drizzle-orm";
import { boolean, index, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import type { EnvironmentName, ExactVersion, PackageName, PackageRequest } from "../../contract/index.ts";
import { countColumn, now, timestampColumn } from "../columns.ts";

export const environments = pgTable("environments", {
  name: text("name").$type<EnvironmentName>().primaryKey(),
  createdAt: timestampColumn("created_at").notNull().default(now),
  allowlistRevision: countColumn("allowlist_revision").notNull().default(0),
  /** The highest generation's number, which is the current one; 0 before the first. */
  generationCounter: countColumn("generation_counter").notNull().default(0),
});

/** An environment that is made anew under the name of one of these goes on counting where that one was. */
export const removedEnvironments = pgTable("removed_environments", {
  name: text("name").$type<EnvironmentName>().primaryKey(),
  lastGeneration: countColumn("last_generation").notNull(),
  removedAt: timestampColumn("removed_at").notNull().default(now),
});

export const packages = pgTable(
  "packages",
  {
    environment: text("environment")
      .$type<EnvironmentName>()
      .notNull()
      .references(() => environments.name),
    name: text("name").$type<PackageName>().notNull(),
    version: text("version").$type<ExactVersion>().notNull(),
    enabled: boolean("enabled").notNull().default(true),
    addedBy: text("added_by").notNull(),
    addedAt: timestampColumn("added_at").notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.environment, table.name] })],
);

export const packageRequests = pgTable(
  "package_requests",
  {
    id: text("id").primaryKey(),
    environment: text("environment")
      .$type<EnvironmentName>()
      .notNull()
      .references(() => environments.name, { onDelete: "cascade" }),
    name: text("name").$type<PackageName>().notNull(),
    reason: text("reason"),
    requestedBy: text("requested_by").notNull(),
    requestedAt: timestampColumn("requested_at").notNull().default(now),
    state: text("state").$type<PackageRequest["state"]>().notNull(),
    decidedBy: text("decided_by"),
    decidedAt: timestampColumn("decided_at"),
    answer: text("answer"),
  },
  (table) => [
    uniqueIndex("package_requests_one_open").on(table.environment, table.name).where(sql`state = 'open'`),
    index("package_requests_latest").on(table.environment, table.requestedAt),
  ],
);
