import { type BlobKey, LarderError } from "../contract/index.ts";
import type { GetOptions, StoredBlob } from "./blob-store.ts";
import { partialContent, wholeContent } from "./check-content.ts";

/** A driver reads `[start, end)`; this checks the range asked for, the bytes that come, and the signal. */
export function storedBlob(
  key: BlobKey,
  sizeBytes: number,
  options: GetOptions,
  read: (start: number, end: number) => AsyncIterable<Uint8Array>,
): StoredBlob {
  const { start, end } = rangeWithin(sizeBytes, options);
  const raw = abortable(read(start, end), options.signal);
  const whole = start === 0 && end === sizeBytes;
  return { sizeBytes, content: whole ? wholeContent(key, sizeBytes, raw) : partialContent(key, end - start, raw) };
}

function rangeWithin(sizeBytes: number, { start = 0, end = sizeBytes }: GetOptions): { start: number; end: number } {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new LarderError("E_INPUT", `${start}–${end} is not a range of bytes.`, { hint: "Give 0 ≤ start ≤ end." });
  }
  return { start: Math.min(start, sizeBytes), end: Math.min(end, sizeBytes) };
}

async function* abortable(content: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  for await (const chunk of content) {
    yield chunk;
    signal?.throwIfAborted();
  }
}
