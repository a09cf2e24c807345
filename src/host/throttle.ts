import { sleep } from "../lib/index.ts";

/** Resolves when so many bytes more are due. */
export type Throttle = (bytes: number) => Promise<void>;

/** Keeps to `bytesPerSecond` from now on; naps are long enough that they cost nothing themselves. */
export function createThrottle(bytesPerSecond: number, signal?: AbortSignal): Throttle {
  const startedAt = performance.now();
  let total = 0;
  return async (bytes) => {
    total += bytes;
    const aheadMs = startedAt + (total / bytesPerSecond) * 1000 - performance.now();
    if (aheadMs > 20) await sleep(aheadMs, signal);
  };
}
