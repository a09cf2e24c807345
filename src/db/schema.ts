import { sql } from "drizzle-orm";
import { bigint, boolean, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import type {
  AddedDependency,
  BlobKey,
  EnvironmentName,
  ErrorBody,
  ExactVersion,
  Generation,
  HostLabels,
  HostPhase,
  Id,
  Integrity,
  LockfileHash,
  OperationKind,
  OperationResult,
  OperationState,
  PackageName,
  PackageRequest,
  Platform,
  Policy,
  Progress,
  RegistryAuthInput,
  Role,
  SeenSession,
  SignedDesiredState,
  SignedHandover,
  WaivableRule,
} from "../contract/index.ts";
import { bytesColumn, timestampColumn } from "./columns.ts";

// The tables as queries see them. `migrations/*.sql` make them; a test compares the two.

const count = (name: string) => bigint(name, { mode: "number" });
const now = sql`now()`;

/** Facts about this store that are made once: its id, say. */
export const meta = pgTable("meta", {
  key: text("key").primaryKey(),
  value: text("value").notNull(),
});

export const environments = pgTable("environments", {
  name: text("name").$type<EnvironmentName>().primaryKey(),
  createdAt: timestampColumn("created_at").notNull().default(now),
  allowlistRevision: count("allowlist_revision").notNull().default(0),
  /** The highest generation's number, which is the current one; 0 before the first. */
  generationCounter: count("generation_counter").notNull().default(0),
});

/** An environment that is made anew under the name of one of these goes on counting where that one was. */
export const removedEnvironments = pgTable("removed_environments", {
  name: text("name").$type<EnvironmentName>().primaryKey(),
  lastGeneration: count("last_generation").notNull(),
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
    number: count("number").notNull(),
    /** Of a manifest that collection may have dropped. */
    lockfileHash: text("lockfile_hash").$type<LockfileHash>().notNull(),
    createdAt: timestampColumn("created_at").notNull().default(now),
    createdBy: text("created_by").notNull(),
    reason: text("reason").$type<Generation["reason"]>().notNull(),
    rollbackOf: count("rollback_of"),
    promotedFrom: jsonb("promoted_from").$type<Generation["promotedFrom"]>(),
    note: text("note"),
    changes: jsonb("changes").$type<Generation["changes"]>(),
    operationId: text("operation_id").$type<Id>(),
    packages: jsonb("packages").$type<Generation["packages"]>().notNull(),
    nodes: integer("nodes").notNull(),
    allowlistRevision: count("allowlist_revision").notNull(),
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
  generation: count("generation").notNull(),
  document: jsonb("document").$type<SignedDesiredState>().notNull(),
  updatedAt: timestampColumn("updated_at").notNull().default(now),
});

/** Which blobs there are, and in which store. A row is written after its bytes are durable and removed before they are. */
export const blobs = pgTable(
  "blobs",
  {
    key: text("key").$type<BlobKey>().primaryKey(),
    sizeBytes: count("size_bytes").notNull(),
    /** As counted when it was admitted. */
    unpackedBytes: count("unpacked_bytes"),
    files: integer("files"),
    store: text("store").notNull(),
    createdAt: timestampColumn("created_at").notNull().default(now),
    unreferencedSince: timestampColumn("unreferenced_since"),
    /** When an audit last read it whole. */
    verifiedAt: timestampColumn("verified_at"),
  },
  (table) => [index("blobs_store").on(table.store)],
);

/** Bytes in a store that no row of `blobs` names there: left by a migration, or by a crash before the row. */
export const strayBlobs = pgTable(
  "stray_blobs",
  {
    store: text("store").notNull(),
    key: text("key").$type<BlobKey>().notNull(),
    sizeBytes: count("size_bytes").notNull(),
    since: timestampColumn("since").notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.store, table.key] })],
);

/** Copies that a read found damaged or absent although the index has them: never read again until good bytes were put in their place. */
export const blobQuarantine = pgTable(
  "blob_quarantine",
  {
    blobKey: text("blob_key").$type<BlobKey>().notNull(),
    store: text("store").notNull(),
    reason: text("reason").$type<"corrupt" | "missing">().notNull(),
    foundAt: timestampColumn("found_at").notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.blobKey, table.store] })],
);

/** The `postgres` blob driver: an upload's chunks, invisible until a row of `blob_contents` points at it. */
export const blobUploads = pgTable("blob_uploads", {
  id: uuid("id").primaryKey(),
  key: text("key").$type<BlobKey>().notNull(),
  createdAt: timestampColumn("created_at").notNull().default(now),
});

export const blobChunks = pgTable(
  "blob_chunks",
  {
    uploadId: uuid("upload_id")
      .notNull()
      .references(() => blobUploads.id, { onDelete: "cascade" }),
    position: integer("position").notNull(),
    bytes: bytesColumn("bytes").notNull(),
  },
  (table) => [primaryKey({ columns: [table.uploadId, table.position] })],
);

export const blobContents = pgTable("blob_contents", {
  key: text("key").$type<BlobKey>().primaryKey(),
  uploadId: uuid("upload_id")
    .notNull()
    .references(() => blobUploads.id),
  sizeBytes: count("size_bytes").notNull(),
  /** Size of every chunk but the last. */
  chunkBytes: integer("chunk_bytes").notNull(),
});

/** The declarations cut from a blob: a copy that can be made again. */
export const packageTypes = pgTable(
  "package_types",
  {
    blobKey: text("blob_key")
      .$type<BlobKey>()
      .primaryKey()
      .references(() => blobs.key, { onDelete: "cascade" }),
    bundleKey: text("bundle_key").$type<BlobKey>().notNull(),
    content: bytesColumn("content").notNull(),
    outline: text("outline"),
    createdAt: timestampColumn("created_at").notNull().default(now),
  },
  (table) => [index("package_types_bundle_key").on(table.bundleKey)],
);

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
    generation: count("generation").notNull().default(0),
    lockfileHash: text("lockfile_hash"),
    phase: text("phase").$type<HostPhase>().notNull().default("pending"),
    error: jsonb("error").$type<ErrorBody>(),
    progress: jsonb("progress").$type<Progress>(),
    platform: jsonb("platform").$type<Platform>(),
    agentVersion: text("agent_version"),
    runsInFlight: integer("runs_in_flight").notNull().default(0),
    freeBytes: count("free_bytes"),
    totalBytes: count("total_bytes"),
    /** Raw Ed25519, base64: the half of its key that the host gave away. */
    publicKey: text("public_key"),
    enrolmentId: text("enrolment_id").$type<Id>(),
    labels: jsonb("labels").$type<HostLabels>().notNull().default({}),
    accepted: count("accepted").notNull().default(0),
    trustedKeyId: text("trusted_key_id"),
    phaseSince: timestampColumn("phase_since"),
    /** Newest first. */
    sessions: jsonb("sessions").$type<SeenSession[]>().notNull().default([]),
    /** When the alarm began, and when it was last confirmed. */
    clonedSince: timestampColumn("cloned_since"),
    clonedAt: timestampColumn("cloned_at"),
  },
  (table) => [
    index("hosts_environment").on(table.environment),
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

export const operations = pgTable(
  "operations",
  {
    id: text("id").$type<Id>().primaryKey(),
    /** The order in which they were asked for. */
    sequence: count("sequence").generatedAlwaysAsIdentity().notNull(),
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
    epoch: count("epoch"),
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
  epoch: count("epoch").notNull(),
  holder: text("holder"),
  electedAt: timestampColumn("elected_at"),
});

export const signingKeys = pgTable(
  "signing_keys",
  {
    keyId: text("key_id").primaryKey(),
    publicKey: text("public_key").notNull(),
    /** Encrypted by the caller: the database never sees the private half. None when the key is retired. */
    sealedPrivateKey: text("sealed_private_key"),
    createdAt: timestampColumn("created_at").notNull().default(now),
    active: boolean("active").notNull(),
  },
  (table) => [uniqueIndex("signing_keys_one_active").on(table.active).where(sql`active`)],
);

export const keyHandovers = pgTable("key_handovers", {
  sequence: integer("sequence").primaryKey(),
  toKeyId: text("to_key_id")
    .notNull()
    .unique()
    .references(() => signingKeys.keyId),
  document: jsonb("document").$type<SignedHandover>().notNull(),
});

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

export const auditLog = pgTable(
  "audit_log",
  {
    id: count("id").generatedAlwaysAsIdentity().primaryKey(),
    at: timestampColumn("at").notNull().default(now),
    actor: text("actor").notNull(),
    action: text("action").notNull(),
    target: text("target").notNull(),
    details: jsonb("details").$type<Record<string, unknown>>(),
  },
  (table) => [index("audit_log_at").on(table.at)],
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
