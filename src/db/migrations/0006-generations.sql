-- What a list of generations tells without reading manifests.
alter table generations add column promoted_from jsonb;
alter table generations add column note text;
alter table generations add column changes jsonb;

-- An environment that is made anew under the name of a removed one goes on counting: its former hosts never go down.
create table removed_environments (
  name text primary key,
  last_generation bigint not null,
  removed_at timestamp(3) with time zone not null default now()
);

create index audit_log_at on audit_log (at);
