import { index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import type {
  AddedDependency,
  BlobKey,
  EnvironmentName,
  Generation,
  Id,
  Integrity,
  LockfileHash,
  SignedDesiredState,
} from "../../contract/index.ts";
import { countColumn, now, timestampColumn } from "../columns.ts";
import { environments } from "./environments.ts";

export const manifests = pgTable("manifests", {
  lockfileHash: text("lockfile_hash").$type<LockfileHash>().primaryKey(),
  digest: text("digest").$type<Integrity>().notNull(),
  /** Canonical JSON, exactly the bytes that `digest` and `lockfileHash` are of. */
  body: text("body").notNull(),
  /** The `bun.lock` that it was made from: where the next resolve starts. */
  lockfile: text("lockfile").notNull(),
  nodes: integer("nodes").notNull(),
  createdAt: timestampColumn("created_at").notNull().default(now),
  /** Undeclared dependencies that were added while it was resolved. */
  addedDependencies: jsonb("added_dependencies").$type<AddedDependency[]>().notNull().default([]),
  /** Since when no generation that is kept has it. */
  unreferencedSince: timestampColumn("unreferenced_since"),
});

export const manifestBlobs = pgTable(
  "manifest_blobs",
  {
    lockfileHash: text("lockfile_hash")
      .$type<LockfileHash>()
      .notNull()
      .references(() => manifests.lockfileHash, { onDelete: "cascade" }),
    blobKey: text("blob_key").$type<BlobKey>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.lockfileHash, table.blobKey] }), index("manifest_blobs_blob_key").on(table.blobKey)],
);

export const generations = pgTable(
  "generations",
  {
    environment: text("environment")
      .$type<EnvironmentName>()
      .notNull()
      .references(() => environments.name),
    number: countColumn("number").notNull(),
    /** Of a manifest that collection may have dropped. */
    lockfileHash: text("lockfile_hash").$type<LockfileHash>().notNull(),
    createdAt: timestampColumn("created_at").notNull().default(now),
    createdBy: text("created_by").notNull(),
    reason: text("reason").$type<Generation["reason"]>().notNull(),
    rollbackOf: countColumn("rollback_of"),
    promotedFrom: jsonb("promoted_from").$type<Generation["promotedFrom"]>(),
    note: text("note"),
    changes: jsonb("changes").$type<Generation["changes"]>(),
    operationId: text("operation_id").$type<Id>(),
    packages: jsonb("packages").$type<Generation["packages"]>().notNull(),
    nodes: integer("nodes").notNull(),
    allowlistRevision: countColumn("allowlist_revision").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.environment, table.number] }),
    index("generations_lockfile_hash").on(table.lockfileHash, table.environment),
  ],
);

export const desiredStates = pgTable("desired_states", {
  environment: text("environment")
    .$type<EnvironmentName>()
    .primaryKey()
    .references(() => environments.name),
  generation: countColumn("generation").notNull(),
  document: jsonb("document").$type<SignedDesiredState>().notNull(),
  updatedAt: timestampColumn("updated_at").notNull().default(now),
});
