-- How hosts follow from one signing key to the next. One that is not effective yet announces its key.
create table key_handovers (
  sequence integer primary key,
  to_key_id text not null unique references signing_keys (key_id),
  document jsonb not null
);

-- A retired key has no private half any more.
alter table signing_keys alter column sealed_private_key drop not null;
