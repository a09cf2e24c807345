// Where blobs' bytes are: a store holds a registry's tarballs byte for byte, under their SHA-512.
// Invariants: bytes returned for a key hash to it, or an error (I3); a blob is visible when it is whole and durable, never before;
// absent is `undefined`, never an error. One file per driver; `conformance.ts` is what every driver must pass.
// Left to others: which blobs there should be, and who may read them (db, operations, server).

export { type BlobReader, createBlobReader } from "./blob-reader.ts";
export type { BlobStore, GetOptions, ListOptions, PutOptions, StoredBlob } from "./blob-store.ts";
export { type BlobStores, createBlobStores } from "./blob-stores.ts";
export { type BlobStoreOptions, openBlobStore } from "./open-blob-store.ts";
export type { S3Options } from "./s3/s3-options.ts";
