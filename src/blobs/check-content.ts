import { createHash } from "node:crypto";
import { type BlobKey, LarderError } from "../contract/index.ts";
import type { PutOptions } from "./blob-store.ts";

/** `content`, to be written: it ends only if it is all there and hashes to `key`. Throws `E_INTEGRITY` or the signal's reason otherwise. */
export async function* incomingContent(
  key: BlobKey,
  content: AsyncIterable<Uint8Array>,
  { sizeBytes, signal }: PutOptions = {},
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha512");
  let total = 0;
  signal?.throwIfAborted();
  for await (const chunk of content) {
    signal?.throwIfAborted();
    total += chunk.byteLength;
    if (sizeBytes !== undefined && total > sizeBytes) throw wrongSize(key, sizeBytes, total);
    hash.update(chunk);
    if (chunk.byteLength > 0) yield chunk;
  }
  signal?.throwIfAborted();
  if (sizeBytes !== undefined && total !== sizeBytes) throw wrongSize(key, sizeBytes, total);
  const actual = hash.digest("hex");
  if (actual === key) return;
  throw new LarderError("E_INTEGRITY", `The bytes given for blob ${key} hash to ${actual}; nothing was stored.`, {
    hint: "Fetch them again; if that repeats, their source is damaged or dishonest.",
    details: { expected: key, actual },
  });
}

const wrongSize = (key: BlobKey, expected: number, actual: number): LarderError =>
  new LarderError(
    "E_INTEGRITY",
    `Blob ${key} should have ${expected} bytes and has ${actual > expected ? "more" : actual}; nothing was stored.`,
    {
      hint: "Fetch it again; if that repeats, its source is damaged or dishonest.",
      details: { expectedBytes: expected, actualBytes: actual },
    },
  );

/** Stored bytes on their way out. Holds every chunk back until the next is read, so that who has got them all knows that they are right. */
export async function* wholeContent(
  key: BlobKey,
  sizeBytes: number,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha512");
  let total = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of content) {
    if (held) yield held;
    total += chunk.byteLength;
    hash.update(chunk);
    held = chunk;
  }
  if (total !== sizeBytes) throw corrupt(key, `has ${total} of ${sizeBytes} bytes`);
  const actual = hash.digest("hex");
  if (actual !== key) throw corrupt(key, `hashes to ${actual}`);
  if (held) yield held;
}

/** A part cannot be hashed: whoever joins parts checks the whole. */
export async function* partialContent(
  key: BlobKey,
  expectedBytes: number,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of content) {
    total += chunk.byteLength;
    yield chunk;
  }
  if (total !== expectedBytes) throw corrupt(key, `gave ${total} of ${expectedBytes} bytes`);
}

const corrupt = (key: BlobKey, how: string): LarderError =>
  new LarderError("E_BLOB_CORRUPT", `Stored blob ${key} is damaged: it ${how}.`, {
    hint: "Run `larder install`: it fetches what is damaged or missing again.",
    details: { blob: key },
  });

export const blobMissing = (key: BlobKey): LarderError =>
  new LarderError("E_BLOB_MISSING", `Blob ${key} was deleted while it was read.`, { retryable: true, details: { blob: key } });
