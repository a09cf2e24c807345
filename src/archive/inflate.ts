import { pipeline } from "node:stream/promises";
import { createGunzip, gunzip } from "node:zlib";
import { errnoOf } from "../lib/index.ts";
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
  const claimed =
    compressed.length < 18 ? 0 : Buffer.from(compressed.buffer, compressed.byteOffset).readUInt32LE(compressed.length - 4);
  const cap = Math.min(wholeOutputBytes, limits.unpackedBytes);
  if (claimed === 0 || claimed > cap) return Promise.resolve(undefined);
  // One chunk holds everything: one job for the thread pool instead of one per 16 KiB.
  const options = { chunkSize: Math.max(claimed + 64, 1024), maxOutputLength: claimed };
  return new Promise((resolve) => {
    gunzip(compressed, options, (error, content) => resolve(error ? undefined : content));
  });
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
