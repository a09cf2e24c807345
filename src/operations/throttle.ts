/** Hands the latest of many values to `write`, at most one write per `everyMs`, one at a time. */
export interface Throttle<T> {
  push(value: T): void;
  /** Writes what is still waiting, and resolves when nothing is under way. */
  settle(): Promise<void>;
}

/** A failing `write` is dropped: the next value replaces it anyway. */
export function createThrottle<T>(everyMs: number, write: (value: T) => Promise<void>): Throttle<T> {
  let waiting: { value: T } | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing = Promise.resolve();
  const flush = (): void => {
    timer = undefined;
    const next = waiting;
    waiting = undefined;
    if (next) writing = writing.then(() => write(next.value)).catch(() => {});
  };
  return {
    push(value) {
      const idle = waiting === undefined && timer === undefined;
      waiting = { value };
      if (!idle) return;
      flush();
      timer = setTimeout(flush, everyMs);
    },
    async settle() {
      clearTimeout(timer);
      flush();
      await writing;
    },
  };
}
