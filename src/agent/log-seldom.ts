import { LarderError } from "../contract/for-hosts.ts";
import type { Logger } from "../lib/index.ts";

/** What keeps on failing in one way says so at once, and then after times that double. */
export interface SeldomLog {
  say(severity: "warn" | "error", failure: { err: unknown } & Record<string, unknown>, message: string): void;
  /** It went well: the next failure is news. */
  forget(): void;
}

const firstMs = 60_000;
const longestMs = 3_600_000;
/** More ways of failing than this are not told apart for long. */
const kept = 50;

export function createSeldomLog(logger: Pick<Logger, "warn" | "error">, now = () => performance.now()): SeldomLog {
  const said = new Map<string, { at: number; pauseMs: number; left: number }>();
  return {
    say(severity, failure, message) {
      const key = keyOf(failure.err);
      const before = said.get(key);
      if (before && now() - before.at < before.pauseMs) {
        before.left += 1;
        return;
      }
      if (said.size >= kept) said.clear();
      said.set(key, { at: now(), pauseMs: before ? Math.min(longestMs, 2 * before.pauseMs) : firstMs, left: 0 });
      logger[severity](before?.left ? { ...failure, sameBefore: before.left } : failure, message);
    },
    forget: () => said.clear(),
  };
}

/** Numbers in its words, as of bytes, make no other error. */
function keyOf(thrown: unknown): string {
  const { code, message } = LarderError.from(thrown);
  return `${code} ${message.replace(/\d+/g, "0")}`;
}
