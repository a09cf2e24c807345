-- The announced signing key that a host has heard of.
alter table hosts add column next_key_id text;
