import { z } from "zod";
import { type BlobKey, blobKeySchema } from "./integrity.ts";
import { LarderError } from "./larder-error.ts";

/** The most keys of one request. */
export const blobBatchKeys = 2000;

/** Many blobs in one answer, for links with delay: what `rawRoutes.blobs` is asked for. */
export const blobBatchSchema = z.object({ keys: z.array(blobKeySchema).min(1).max(blobBatchKeys) });

/** Larger ones are left out of batches: alone they can be resumed after a cut. */
export const largestBatchedBlob = 8 * 1024 * 1024;

const keyBytes = 64;
const headBytes = keyBytes + 4;

/** Before a blob's bytes: its SHA-512 and, in four bytes, big-endian, their number. Without a key: the end of the batch. */
export function blobFrameHead(key?: BlobKey, sizeBytes = 0): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(headBytes);
  for (let at = 0; key !== undefined && at < keyBytes; at++) {
    head[at] = digits.indexOf(key.charAt(at * 2)) * 16 + digits.indexOf(key.charAt(at * 2 + 1));
  }
  new DataView(head.buffer).setUint32(keyBytes, sizeBytes);
  return head;
}

/**
 * The blobs of a batch as they come, each in memory of its own. Nobody has looked at their bytes. Ends without an error only behind the batch's end.
 */
export async function* readBlobFrames(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ key: BlobKey; content: Uint8Array<ArrayBuffer> }> {
  const head = new Uint8Array(headBytes);
  let filling: Uint8Array<ArrayBuffer> = head;
  let filled = 0;
  let key: BlobKey | undefined;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length || filled === filling.length; ) {
      const taken = Math.min(filling.length - filled, chunk.length - at);
      filling.set(chunk.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < filling.length) continue;
      filled = 0;
      if (key === undefined) {
        key = hexOf(head);
        const sizeBytes = new DataView(head.buffer).getUint32(keyBytes);
        if (/^0+$/.test(key)) return;
        if (sizeBytes > largestBatchedBlob) throw tooLarge(key);
        filling = new Uint8Array(sizeBytes);
      } else {
        const content = filling;
        const ended = key;
        key = undefined;
        filling = head;
        yield { key: ended, content };
      }
    }
  }
  throw new Error("the batch broke off");
}

const digits = "0123456789abcdef";

function hexOf(head: Uint8Array): BlobKey {
  let text = "";
  for (let at = 0; at < keyBytes; at++)
    text += digits.charAt((head[at] as number) >> 4) + digits.charAt((head[at] as number) & 15);
  return text as BlobKey;
}

const tooLarge = (key: BlobKey): LarderError =>
  new LarderError("E_TOO_LARGE", `Blob ${key.slice(0, 16)}… is larger than a batch may have.`, {
    details: { key, limit: largestBatchedBlob },
  });
