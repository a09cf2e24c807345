-- Scripts on their way to a host, and what came of them: only as long as somebody waits. JSON as text, which may hold what jsonb may not.
create table host_runs (
  id text primary key,
  host_id text not null references hosts (id),
  request text not null,
  requested_by text not null,
  created_at timestamp(3) with time zone not null default now(),
  expires_at timestamp(3) with time zone not null,
  claimed_at timestamp(3) with time zone,
  outcome text
);

create index host_runs_host_id on host_runs (host_id, created_at);
