import { index, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import type {
  EnvironmentName,
  ExactVersion,
  Id,
  PackageName,
  Policy,
  RegistryAuthInput,
  WaivableRule,
} from "../../contract/index.ts";
import { now, timestampColumn } from "../columns.ts";
import { environments } from "./environments.ts";

/** What may come into each environment; one without a row has the default. */
export const policies = pgTable("policies", {
  environment: text("environment")
    .$type<EnvironmentName>()
    .primaryKey()
    .references(() => environments.name),
  policy: jsonb("policy").$type<Partial<Policy>>().notNull(),
  updatedAt: timestampColumn("updated_at").notNull().default(now),
  updatedBy: text("updated_by").notNull(),
});

export const waivers = pgTable(
  "waivers",
  {
    id: text("id").$type<Id>().primaryKey(),
    environment: text("environment")
      .$type<EnvironmentName>()
      .notNull()
      .references(() => environments.name),
    rule: text("rule").$type<WaivableRule>().notNull(),
    name: text("name").$type<PackageName>(),
    range: text("range"),
    registry: text("registry"),
    reason: text("reason").notNull(),
    createdBy: text("created_by").notNull(),
    createdAt: timestampColumn("created_at").notNull().default(now),
    expiresAt: timestampColumn("expires_at"),
  },
  (table) => [index("waivers_environment").on(table.environment)],
);

/** Versions that no environment may have. */
export const revocations = pgTable(
  "revocations",
  {
    name: text("name").$type<PackageName>().notNull(),
    version: text("version").$type<ExactVersion>().notNull(),
    reason: text("reason"),
    revokedBy: text("revoked_by").notNull(),
    revokedAt: timestampColumn("revoked_at").notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.name, table.version] })],
);

/** What a registry said of the versions in manifests, when it was last asked. */
export const releases = pgTable(
  "releases",
  {
    name: text("name").$type<PackageName>().notNull(),
    version: text("version").$type<ExactVersion>().notNull(),
    publishedAt: timestampColumn("published_at"),
    deprecated: text("deprecated"),
    seenAt: timestampColumn("seen_at").notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.name, table.version] })],
);

export const registries = pgTable("registries", {
  name: text("name").primaryKey(),
  url: text("url").notNull(),
  scopes: jsonb("scopes").$type<string[]>().notNull().default([]),
  names: jsonb("names").$type<string[]>().notNull().default([]),
  tarballOrigins: jsonb("tarball_origins").$type<string[]>().notNull().default([]),
  ca: text("ca"),
  auth: text("auth").$type<RegistryAuthInput["type"]>().notNull().default("none"),
  /** The address, and all below it, that the credentials are sent to. */
  credentialsFor: text("credentials_for"),
  sealedCredentials: text("sealed_credentials"),
  updatedAt: timestampColumn("updated_at").notNull().default(now),
  updatedBy: text("updated_by").notNull(),
});
