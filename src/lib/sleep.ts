import { setTimeout as delay } from "node:timers/promises";

/** Rejects with the signal's reason when it aborts. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal ? { signal } : {});
}

/** `base` ± `share` of it, uniformly: keeps many hosts from acting in the same instant. */
export const jittered = (base: number, share = 0.2): number => base * (1 - share + 2 * share * Math.random());

/** Full-jitter exponential back-off for the `attempt`-th failure in a row (1, 2, …). */
export const backoffMs = (attempt: number, { baseMs = 200, maxMs = 30_000 } = {}): number =>
  Math.random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 20));
