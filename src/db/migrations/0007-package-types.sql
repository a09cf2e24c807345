-- The declarations cut from a tarball. Gone with the blob's row; whatever is missing here is cut again from the blob.
create table package_types (
  blob_key text primary key references blobs (key) on delete cascade,
  bundle_key text not null,
  content bytea not null,
  outline text,
  created_at timestamp(3) with time zone not null default now()
);
create index package_types_bundle_key on package_types (bundle_key);
