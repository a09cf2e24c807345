-- Who joined or was revoked of late, which every replica asks each second; without these it reads every host. Reports change neither column.
create index hosts_created_at on hosts (created_at);
create index hosts_revoked_at on hosts (revoked_at) where revoked_at is not null;
