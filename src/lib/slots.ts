/** So many at a time; the others wait in line. */
export interface Slots {
  /** Answers what gives the slot back; calling that twice is harmless. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<() => void>;
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting = new Set<() => void>();
  const giveBack = (): void => {
    const [next] = waiting;
    if (next === undefined) free += 1;
    else {
      waiting.delete(next);
      next();
    }
  };
  const slot = () => {
    let held = true;
    return () => {
      if (held) giveBack();
      held = false;
    };
  };
  return {
    take(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return Promise.resolve(slot());
      }
      return new Promise((resolve, reject) => {
        const abort = () => {
          waiting.delete(next);
          reject(signal.reason);
        };
        const next = () => {
          signal.removeEventListener("abort", abort);
          resolve(slot());
        };
        waiting.add(next);
        signal.addEventListener("abort", abort, { once: true });
      });
    },
  };
}
