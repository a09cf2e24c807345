import type { BlobStore } from "../blobs/index.ts";
import { type BlobKey, hasCode } from "../contract/index.ts";
import { limited, type RateLimit } from "./rate-limit.ts";

/** What reading all of a copy, and hashing it, says of it. */
export type CopyState = "whole" | "absent" | "damaged";

/** Reads it to its end. Throws what keeps the store from being read. */
export async function readCopy(
  store: BlobStore,
  key: BlobKey,
  { limit, signal }: { limit: RateLimit; signal: AbortSignal },
): Promise<CopyState> {
  try {
    const found = await store.get(key, { signal });
    if (found === undefined) return "absent";
    for await (const _ of limited(found.content, limit, signal)) signal.throwIfAborted();
    return "whole";
  } catch (error) {
    if (hasCode(error, "E_BLOB_MISSING")) return "absent";
    if (hasCode(error, "E_BLOB_CORRUPT")) return "damaged";
    throw error;
  }
}
