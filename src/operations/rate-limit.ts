import { sleep } from "../lib/index.ts";

/** Shared by all that together may move so many bytes per second. */
export interface RateLimit {
  /** Returns when `bytes` more are within the rate. */
  take(bytes: number, signal: AbortSignal): Promise<void>;
}

/** Time not used is not saved up. Without a rate, nothing waits. */
export function createRateLimit(bytesPerSecond: number | undefined): RateLimit {
  let freeAt = 0;
  return {
    async take(bytes, signal) {
      if (bytesPerSecond === undefined) return;
      const now = performance.now();
      freeAt = Math.max(now, freeAt) + (bytes / bytesPerSecond) * 1000;
      if (freeAt > now) await sleep(freeAt - now, signal);
    },
  };
}

/** `content`, no faster than the limit lets it. */
export async function* limited(
  content: AsyncIterable<Uint8Array>,
  limit: RateLimit,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    await limit.take(chunk.byteLength, signal);
    yield chunk;
  }
}

const windowMs = 5000;

/** Bytes per second of late. */
export function createRateMeter(): { add(bytes: number): void; read(): number } {
  const startedAt = performance.now();
  let samples: { at: number; bytes: number }[] = [];
  return {
    add(bytes) {
      samples.push({ at: performance.now(), bytes });
    },
    read() {
      const now = performance.now();
      samples = samples.filter(({ at }) => at > now - windowMs);
      const spanMs = Math.min(windowMs, Math.max(1, now - startedAt));
      return Math.round((samples.reduce((sum, { bytes }) => sum + bytes, 0) / spanMs) * 1000);
    },
  };
}
