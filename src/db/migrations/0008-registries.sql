create table registries (
  name text primary key,
  url text not null,
  scopes jsonb not null default '[]',
  names jsonb not null default '[]',
  tarball_origins jsonb not null default '[]',
  ca text,
  auth text not null default 'none' check (auth in ('none', 'bearer', 'basic')),
  credentials_for text,
  sealed_credentials text,
  updated_at timestamp(3) with time zone not null default now(),
  updated_by text not null,
  check ((auth = 'none') = (sealed_credentials is null)),
  check (sealed_credentials is null or credentials_for is not null)
);
