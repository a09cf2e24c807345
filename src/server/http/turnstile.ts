/** Lets so many in at once; the others wait in the order in which they came. */
export function createTurnstile(limit: number): <T>(step: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return async (step) => {
    if (inside >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else inside += 1;
    try {
      return await step();
    } finally {
      const next = waiting.shift();
      // Whoever is next takes the place of who leaves.
      if (next) next();
      else inside -= 1;
    }
  };
}
