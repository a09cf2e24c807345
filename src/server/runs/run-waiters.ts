import type { Id } from "../../contract/index.ts";
import type { Notice } from "../events/notice.ts";

/** Who waits for a script that was sent to a host. */
export interface RunWaiters {
  /** Resolves when there may be an answer for this run, and after `ms` in any case. */
  wait(id: Id, ms: number): Promise<void>;
  notice(notice: Notice): void;
}

export function createRunWaiters(): RunWaiters {
  const waiting = new Map<Id, () => void>();
  return {
    wait: (id, ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(done, ms);
        function done() {
          clearTimeout(timer);
          waiting.delete(id);
          resolve();
        }
        waiting.set(id, done);
      }),
    notice(notice) {
      if (notice.type === "runEnded") waiting.get(notice.id)?.();
      if (notice.type === "resumed") for (const look of [...waiting.values()]) look();
    },
  };
}
