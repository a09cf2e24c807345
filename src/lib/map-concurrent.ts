/**
 * `worker` over `items`, at most `limit` at a time, results in order. The first failure stops new work, waits for what is under way, and is
 * thrown; `signal` does the same.
 */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  { limit, signal }: { limit: number; signal?: AbortSignal },
  worker: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let failure: { error: unknown } | undefined;
  const lane = async () => {
    while (next < items.length && failure === undefined) {
      const index = next++;
      try {
        signal?.throwIfAborted();
        results[index] = await worker(items[index] as T, index);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (failure) throw failure.error;
  return results;
}
