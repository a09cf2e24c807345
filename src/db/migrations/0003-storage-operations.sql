-- Operations on the whole blob store have no environment.
alter table operations alter column environment drop not null;

alter table operations add column input jsonb;

create unique index operations_one_active_store_wide on operations (kind) where environment is null and state in ('queued', 'running');

-- A generation outlives its manifest: history without the means to go back.
alter table generations drop constraint generations_lockfile_hash_fkey;

alter table manifests add column unreferenced_since timestamp(3) with time zone;

alter table blobs add column verified_at timestamp(3) with time zone;

create index blobs_store on blobs (store);

create table stray_blobs (
  store text not null,
  key text not null,
  size_bytes bigint not null,
  since timestamp(3) with time zone not null default now(),
  primary key (store, key)
);
