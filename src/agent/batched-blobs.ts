import { type BlobKey, blobBatchKeys, hasCode, LarderError, readBlobFrames } from "../contract/for-hosts.ts";

export interface BatchOptions {
  /** Asks for these in one answer. */
  open(keys: readonly BlobKey[]): Promise<AsyncIterable<Uint8Array>>;
  /** Connections in a row that may end without having brought a blob. */
  tries: number;
  signal: AbortSignal;
}

/**
 * Blobs over as few answers as it takes; after a cut, the next asks for what has not come. Leaves the rest to those who ask for single blobs, and so to the errors
 * that they get, when the control plane brings none or has no batches.
 */
export async function* batchedBlobs(
  keys: readonly BlobKey[],
  { open, tries, signal }: BatchOptions,
): AsyncGenerator<{ key: BlobKey; content: Uint8Array<ArrayBuffer> }> {
  for (let start = 0; start < keys.length; start += blobBatchKeys) {
    const left = new Set(keys.slice(start, start + blobBatchKeys));
    for (let failures = 0; left.size > 0 && failures < tries; failures++) {
      try {
        for await (const blob of readBlobFrames(await open([...left]))) {
          // Nobody asked for it: this is no answer of ours.
          if (!left.delete(blob.key)) return;
          failures = 0;
          yield blob;
        }
        // To its end: what is left was left out.
        break;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (error instanceof LarderError && !hasCode(error, "E_SERVER_UNREACHABLE")) return;
      }
    }
  }
}
