import { pipeline } from "node:stream/promises";
import { createGunzip, gunzip, gunzipSync } from "node:zlib";
import { errnoOf } from "../lib/bare.ts";
import type { ArchiveLimits } from "./archive-limits.ts";
import type { Refusals } from "./refusal.ts";

/** More than this is inflated as a stream, so that memory does not follow what a tarball claims. */
const wholeOutputBytes = 24 * 1024 * 1024;

/** Measured over 360 MB of packages: 64 KiB takes 1.7 times as long, 1 MiB the same. */
const streamChunkBytes = 256 * 1024;

/**
 * All of a small tarball at once, off this thread. `undefined`: it is large, or broken, or not what its trailer claims; a stream finds out which.
 */
export function inflateWhole(compressed: Uint8Array, limits: ArchiveLimits): Promise<Buffer | undefined> {
  const options = wholeOptions(compressed, limits);
  if (!options) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    gunzip(compressed, options, (error, content) => resolve(error ? undefined : content));
  });
}

/** As `inflateWhole`, on this thread. */
export function inflateNow(compressed: Uint8Array, limits: ArchiveLimits): Buffer | undefined {
  const options = wholeOptions(compressed, limits);
  if (!options) return undefined;
  try {
    return gunzipSync(compressed, options);
  } catch {
    // Broken, or not what its trailer claims: the stream says which.
    return undefined;
  }
}

function wholeOptions(
  compressed: Uint8Array,
  { unpackedBytes }: ArchiveLimits,
): { chunkSize: number; maxOutputLength: number } | undefined {
  const { length, buffer, byteOffset } = compressed;
  const claimed = length < 18 ? 0 : Buffer.from(buffer, byteOffset, length).readUInt32LE(length - 4);
  if (claimed === 0 || claimed > Math.min(wholeOutputBytes, unpackedBytes)) return undefined;
  // One chunk holds everything: one job for the thread pool instead of one per 16 KiB.
  return { chunkSize: Math.max(claimed + 64, 1024), maxOutputLength: claimed };
}

/** Inflates `source`, any number of gzip members, into `write`. Zeros after the last member pass, anything else is refused. */
export async function inflateStream(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { write, refuse, signal }: { write: (chunk: Uint8Array) => void; refuse: Refusals; signal: AbortSignal | undefined },
): Promise<void> {
  const consume = async (inflated: AsyncIterable<Uint8Array>) => {
    for await (const chunk of inflated) write(chunk);
  };
  try {
    await pipeline(source, createGunzip({ chunkSize: streamChunkBytes }), consume, signal ? { signal } : {});
  } catch (error) {
    if (!errnoOf(error)?.startsWith("Z_")) throw error;
    throw refuse.archive("gzip", "", `it is not sound gzip data (${(error as Error).message})`);
  }
}
