import type { BlobKey } from "../contract/index.ts";

/** Holds blobs under the SHA-512 of their bytes. Every method may throw `E_NO_SPACE`, `E_READ_ONLY`, `E_PERMISSION` or `E_STORE_UNAVAILABLE`. */
export interface BlobStore extends AsyncDisposable {
  /** The driver's: what the index records as a blob's store. */
  readonly name: string;
  /**
   * Returns when the bytes are durable. They are hashed on their way, and are never visible unless they are all there and hash to `key`: `E_INTEGRITY`
   * otherwise, or what `content` threw. Content that was there is replaced, which mends a damaged blob. One chunk at a time is in memory.
   */
  put(key: BlobKey, content: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<{ sizeBytes: number }>;
  /** `undefined`: absent. */
  get(key: BlobKey, options?: GetOptions): Promise<StoredBlob | undefined>;
  head(key: BlobKey): Promise<{ sizeBytes: number } | undefined>;
  /** Idempotent. */
  delete(key: BlobKey): Promise<void>;
  /** Ascending by key, those after `after`. What is put or deleted meanwhile may or may not be seen. */
  list(options?: ListOptions): AsyncIterable<{ key: BlobKey; sizeBytes: number }>;
  /** A short-lived address where whoever has it may fetch the blob, unchecked, if it is there; `undefined`: only through this store. No I/O of note. */
  link(key: BlobKey): Promise<string | undefined>;
}

export interface PutOptions {
  /** Declared size: more or fewer bytes are `E_INTEGRITY`. */
  sizeBytes?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface GetOptions {
  /** First byte, 0 without it. */
  start?: number | undefined;
  /** After the last byte; the blob's size without it, or when it is beyond. */
  end?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface ListOptions {
  after?: BlobKey | undefined;
  signal?: AbortSignal | undefined;
}

export interface StoredBlob {
  /** Of the whole blob, also for a part. */
  sizeBytes: number;
  /**
   * To be iterated once. The whole blob: its last chunk comes only after all bytes were hashed and found right, `E_BLOB_CORRUPT` in its stead. A part: only
   * its length is checked. `E_BLOB_MISSING` when the blob is deleted meanwhile.
   */
  content: AsyncIterable<Uint8Array>;
}
