/**
 * Polls until `attempt` gives something other than `undefined`, `null` or `false`, and returns that. `what` completes "gave up waiting until …".
 * An attempt that throws counts as not yet; the last error is the cause when time is up.
 */
export async function until<T>(
  what: string,
  attempt: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 20, signal }: { timeoutMs?: number; everyMs?: number; signal?: AbortSignal } = {},
): Promise<Exclude<T, undefined | null | false>> {
  const start = performance.now();
  let last: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const value = await attempt();
      if (value !== undefined && value !== null && value !== false) return value as Exclude<T, undefined | null | false>;
      last = value;
    } catch (error) {
      last = error;
    }
    const waitedMs = performance.now() - start;
    if (waitedMs >= timeoutMs) {
      const seen = last instanceof Error ? last.message : JSON.stringify(last);
      throw new Error(`Gave up after ${Math.round(waitedMs)} ms waiting until ${what}. Last seen: ${seen}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
