-- Browsers that signed in with a token. Of the cookie only a hash; the role is the token's.
create table sessions (
  id text primary key,
  hash text not null constraint sessions_hash unique,
  token_id text not null references tokens (id),
  created_at timestamp(3) with time zone not null default now(),
  expires_at timestamp(3) with time zone not null
);

create index sessions_token_id on sessions (token_id, created_at);
