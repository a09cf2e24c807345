-- The right to join, for so many hosts until some time. Its text is kept as a hash.
create table enrolments (
  id text primary key,
  hash text not null constraint enrolments_hash unique,
  environment text not null references environments (name),
  host_id text,
  labels jsonb not null default '{}',
  uses integer not null check (uses > 0),
  used integer not null default 0 check (used >= 0 and used <= uses),
  created_at timestamp(3) with time zone not null default now(),
  created_by text not null,
  expires_at timestamp(3) with time zone not null,
  revoked_at timestamp(3) with time zone
);

-- Hosts have keys of their own; the tokens that they had before are worth nothing.
update tokens set revoked_at = now() where role = 'host' and revoked_at is null;

alter table hosts
  add column public_key text,
  add column enrolment_id text,
  add column labels jsonb not null default '{}',
  add column accepted bigint not null default 0,
  add column total_bytes bigint,
  add column trusted_key_id text,
  add column phase_since timestamp(3) with time zone,
  add column sessions jsonb not null default '[]',
  add column cloned_since timestamp(3) with time zone,
  add column cloned_at timestamp(3) with time zone;

create unique index hosts_public_key on hosts (public_key) where revoked_at is null;
