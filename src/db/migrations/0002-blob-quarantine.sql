create table blob_quarantine (
  blob_key text not null,
  store text not null,
  reason text not null check (reason in ('corrupt', 'missing')),
  found_at timestamp(3) with time zone not null default now(),
  primary key (blob_key, store)
);
