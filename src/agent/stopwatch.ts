export interface Stopwatch {
  /** Adds what `task` takes to `phase`. */
  measure<T>(phase: string, task: () => Promise<T>): Promise<T>;
  /** By phase, and `total` since it was made. */
  timingsMs(): Record<string, number>;
}

export function createStopwatch(): Stopwatch {
  const startedAt = performance.now();
  const phases = new Map<string, number>();
  return {
    async measure(phase, task) {
      const from = performance.now();
      try {
        return await task();
      } finally {
        phases.set(phase, (phases.get(phase) ?? 0) + performance.now() - from);
      }
    },
    timingsMs: () => Object.fromEntries([...phases, ["total", performance.now() - startedAt]].map(([k, ms]) => [k, rounded(ms)])),
  };
}

const rounded = (ms: number | string | undefined): number => Math.round(Number(ms) * 100) / 100;
