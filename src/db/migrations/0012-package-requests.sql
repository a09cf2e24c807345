-- Who wants a package on an allowlist that they may not change.
create table package_requests (
  id text primary key,
  environment text not null references environments (name) on delete cascade,
  name text not null,
  reason text,
  requested_by text not null,
  requested_at timestamp(3) with time zone not null default now(),
  state text not null,
  decided_by text,
  decided_at timestamp(3) with time zone,
  answer text
);

create unique index package_requests_one_open on package_requests (environment, name) where state = 'open';
create index package_requests_latest on package_requests (environment, requested_at);
