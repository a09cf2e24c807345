create table meta (
  key text primary key,
  value text not null
);

create table environments (
  name text primary key,
  created_at timestamp(3) with time zone not null default now(),
  allowlist_revision bigint not null default 0,
  generation_counter bigint not null default 0
);

create table packages (
  environment text not null references environments (name),
  name text not null,
  version text not null,
  enabled boolean not null default true,
  added_by text not null,
  added_at timestamp(3) with time zone not null default now(),
  primary key (environment, name)
);

create table manifests (
  lockfile_hash text primary key,
  digest text not null,
  body text not null,
  lockfile text not null,
  nodes integer not null,
  created_at timestamp(3) with time zone not null default now()
);

create table manifest_blobs (
  lockfile_hash text not null references manifests (lockfile_hash) on delete cascade,
  blob_key text not null,
  primary key (lockfile_hash, blob_key)
);

create index manifest_blobs_blob_key on manifest_blobs (blob_key);

create table generations (
  environment text not null references environments (name),
  number bigint not null,
  lockfile_hash text not null references manifests (lockfile_hash),
  created_at timestamp(3) with time zone not null default now(),
  created_by text not null,
  reason text not null check (reason in ('install', 'rollback')),
  rollback_of bigint,
  operation_id text,
  packages jsonb not null,
  nodes integer not null,
  allowlist_revision bigint not null,
  primary key (environment, number)
);

create index generations_lockfile_hash on generations (lockfile_hash, environment);

create table desired_states (
  environment text primary key references environments (name),
  generation bigint not null,
  document jsonb not null,
  updated_at timestamp(3) with time zone not null default now()
);

create table blobs (
  key text primary key,
  size_bytes bigint not null,
  unpacked_bytes bigint,
  store text not null,
  created_at timestamp(3) with time zone not null default now(),
  unreferenced_since timestamp(3) with time zone
);

create table blob_uploads (
  id uuid primary key,
  key text not null,
  created_at timestamp(3) with time zone not null default now()
);

create table blob_chunks (
  upload_id uuid not null references blob_uploads (id) on delete cascade,
  position integer not null,
  bytes bytea not null,
  primary key (upload_id, position)
);

-- Tarballs are compressed already.
alter table blob_chunks alter column bytes set storage external;

create table blob_contents (
  key text primary key,
  upload_id uuid not null references blob_uploads (id),
  size_bytes bigint not null,
  chunk_bytes integer not null
);

create table tokens (
  id text primary key,
  role text not null,
  subject text not null,
  hash text not null constraint tokens_hash unique,
  environment text,
  host_id text,
  created_at timestamp(3) with time zone not null default now(),
  last_used_at timestamp(3) with time zone,
  revoked_at timestamp(3) with time zone
);

create table hosts (
  id text primary key,
  environment text not null references environments (name),
  created_at timestamp(3) with time zone not null default now(),
  last_seen_at timestamp(3) with time zone,
  revoked_at timestamp(3) with time zone,
  generation bigint not null default 0,
  lockfile_hash text,
  phase text not null default 'pending',
  error jsonb,
  progress jsonb,
  platform jsonb,
  agent_version text,
  runs_in_flight integer not null default 0,
  free_bytes bigint
);

create index hosts_environment on hosts (environment);

create table operations (
  id text primary key,
  sequence bigint not null generated always as identity,
  kind text not null,
  environment text not null references environments (name),
  state text not null default 'queued',
  attempt integer not null default 1,
  retry_of text,
  requested_by text not null,
  created_at timestamp(3) with time zone not null default now(),
  started_at timestamp(3) with time zone,
  ended_at timestamp(3) with time zone,
  progress jsonb,
  result jsonb,
  error jsonb,
  epoch bigint,
  cancel_requested boolean not null default false
);

create index operations_sequence on operations (sequence);

create unique index operations_one_active on operations (environment, kind) where state in ('queued', 'running');

create table election (
  id integer primary key check (id = 1),
  epoch bigint not null,
  holder text,
  elected_at timestamp(3) with time zone
);

insert into election (id, epoch) values (1, 0);

create table signing_keys (
  key_id text primary key,
  public_key text not null,
  sealed_private_key text not null,
  created_at timestamp(3) with time zone not null default now(),
  active boolean not null
);

create unique index signing_keys_one_active on signing_keys (active) where active;

create table audit_log (
  id bigint primary key generated always as identity,
  at timestamp(3) with time zone not null default now(),
  actor text not null,
  action text not null,
  target text not null,
  details jsonb
);

insert into environments (name) values ('default');
