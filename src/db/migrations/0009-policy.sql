-- What may come into each environment. An environment without a row has the default.
create table policies (
  environment text primary key references environments (name),
  policy jsonb not null,
  updated_at timestamp(3) with time zone not null default now(),
  updated_by text not null
);

-- Exceptions: from one rule, for versions of a package or for a registry.
create table waivers (
  id text primary key,
  environment text not null references environments (name),
  rule text not null,
  name text,
  range text,
  registry text,
  reason text not null,
  created_by text not null,
  created_at timestamp(3) with time zone not null default now(),
  expires_at timestamp(3) with time zone
);

create index waivers_environment on waivers (environment);

-- Versions that no environment may have.
create table revocations (
  name text not null,
  version text not null,
  reason text,
  revoked_by text not null,
  revoked_at timestamp(3) with time zone not null default now(),
  primary key (name, version)
);

-- What a registry said of the versions in manifests, when it was last asked: a resolve that starts from a lock does not ask again.
create table releases (
  name text not null,
  version text not null,
  published_at timestamp(3) with time zone,
  deprecated text,
  seen_at timestamp(3) with time zone not null default now(),
  primary key (name, version)
);

-- As counted when it was admitted.
alter table blobs add column files integer;

-- Undeclared dependencies that were added while it was resolved.
alter table manifests add column added_dependencies jsonb not null default '[]';
