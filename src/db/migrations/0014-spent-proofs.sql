-- Requests of hosts that must not be repeated at another replica, or after a restart, for as long as their proofs are good.
create table spent_proofs (
  host_id text not null,
  nonce text not null,
  spent_at timestamp(3) with time zone not null default now(),
  primary key (host_id, nonce)
);
