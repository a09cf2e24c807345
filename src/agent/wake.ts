/** A wish to be woken, remembered until somebody waits. */
export interface Wake {
  wake(): void;
  /** Resolves at the next `wake`, at once if there was one since the last wait, after `ms`, or when `signal` aborts. Whether there was one. */
  wait(ms: number, signal: AbortSignal): Promise<boolean>;
}

export function createWake(): Wake {
  let wanted = false;
  let resume: (() => void) | undefined;
  return {
    wake() {
      wanted = true;
      resume?.();
    },
    async wait(ms, signal) {
      if (!wanted && !signal.aborted) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          resume = resolve;
          timer = setTimeout(resolve, ms);
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
        clearTimeout(timer);
        resume = undefined;
      }
      const woken = wanted;
      wanted = false;
      return woken;
    },
  };
}
