import { sql } from "drizzle-orm";
import { index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import type {
  EnvironmentName,
  ErrorBody,
  HostLabels,
  HostPhase,
  Id,
  Platform,
  Progress,
  SeenSession,
} from "../../contract/index.ts";
import { countColumn, now, timestampColumn } from "../columns.ts";
import { environments } from "./environments.ts";

/** The right to join. */
export const enrolments = pgTable("enrolments", {
  id: text("id").$type<Id>().primaryKey(),
  hash: text("hash").notNull().unique("enrolments_hash"),
  environment: text("environment")
    .$type<EnvironmentName>()
    .notNull()
    .references(() => environments.name),
  hostId: text("host_id").$type<Id>(),
  labels: jsonb("labels").$type<HostLabels>().notNull().default({}),
  uses: integer("uses").notNull(),
  used: integer("used").notNull().default(0),
  createdAt: timestampColumn("created_at").notNull().default(now),
  createdBy: text("created_by").notNull(),
  expiresAt: timestampColumn("expires_at").notNull(),
  revokedAt: timestampColumn("revoked_at"),
});

export const hosts = pgTable(
  "hosts",
  {
    id: text("id").$type<Id>().primaryKey(),
    environment: text("environment")
      .$type<EnvironmentName>()
      .notNull()
      .references(() => environments.name),
    createdAt: timestampColumn("created_at").notNull().default(now),
    lastSeenAt: timestampColumn("last_seen_at"),
    revokedAt: timestampColumn("revoked_at"),
    generation: countColumn("generation").notNull().default(0),
    lockfileHash: text("lockfile_hash"),
    phase: text("phase").$type<HostPhase>().notNull().default("pending"),
    error: jsonb("error").$type<ErrorBody>(),
    progress: jsonb("progress").$type<Progress>(),
    platform: jsonb("platform").$type<Platform>(),
    agentVersion: text("agent_version"),
    runsInFlight: integer("runs_in_flight").notNull().default(0),
    freeBytes: countColumn("free_bytes"),
    totalBytes: countColumn("total_bytes"),
    /** Raw Ed25519, base64: the half of its key that the host gave away. */
    publicKey: text("public_key"),
    enrolmentId: text("enrolment_id").$type<Id>(),
    labels: jsonb("labels").$type<HostLabels>().notNull().default({}),
    accepted: countColumn("accepted").notNull().default(0),
    trustedKeyId: text("trusted_key_id"),
    nextKeyId: text("next_key_id"),
    phaseSince: timestampColumn("phase_since"),
    /** Newest first. */
    sessions: jsonb("sessions").$type<SeenSession[]>().notNull().default([]),
    /** When the alarm began, and when it was last confirmed. */
    clonedSince: timestampColumn("cloned_since"),
    clonedAt: timestampColumn("cloned_at"),
  },
  (table) => [
    index("hosts_environment").on(table.environment),
    index("hosts_created_at").on(table.createdAt),
    index("hosts_revoked_at").on(table.revokedAt).where(sql`revoked_at is not null`),
    uniqueIndex("hosts_public_key").on(table.publicKey).where(sql`revoked_at is null`),
  ],
);

/** Only as long as somebody waits for the outcome. */
export const hostRuns = pgTable(
  "host_runs",
  {
    id: text("id").$type<Id>().primaryKey(),
    hostId: text("host_id")
      .$type<Id>()
      .notNull()
      .references(() => hosts.id),
    /** JSON text: what a script prints may hold NUL, which `jsonb` refuses. */
    request: text("request").notNull(),
    requestedBy: text("requested_by").notNull(),
    createdAt: timestampColumn("created_at").notNull().default(now),
    expiresAt: timestampColumn("expires_at").notNull(),
    claimedAt: timestampColumn("claimed_at"),
    outcome: text("outcome"),
  },
  (table) => [index("host_runs_host_id").on(table.hostId, table.createdAt)],
);

/** Requests of hosts that are good once, by the nonce that each was signed with. */
export const spentProofs = pgTable(
  "spent_proofs",
  {
    hostId: text("host_id").$type<Id>().notNull(),
    nonce: text("nonce").notNull(),
    spentAt: timestampColumn("spent_at").notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.hostId, table.nonce] })],
);
