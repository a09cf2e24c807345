// `larder/blob-driver`: what a blob store driver in somebody else's package needs. docs/storage.md says how; `larder/blob-driver/conformance` says whether.

export { type BlobKey, type ErrorCode, isBlobKey, LarderError, parseBlobKey } from "../contract/index.ts";
export type { BlobStore, GetOptions, ListOptions, PutOptions, StoredBlob } from "./blob-store.ts";
export { blobMissing, incomingContent } from "./check-content.ts";
export { storedBlob } from "./stored-blob.ts";
