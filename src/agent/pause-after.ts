import type { LarderError } from "../contract/for-hosts.ts";
import { backoffMs, jittered } from "../lib/index.ts";

/** Before the next pass. */
export interface Pause {
  /** Whatever happens: the server asked for it. */
  holdMs: number;
  /** After that, unless woken. */
  waitMs: number;
}

/** A host that was revoked asks so seldom in the end; a new token comes with a new start. */
const longestRefusedMs = 300_000;

/** Soon for what may pass, at the usual pace for what needs a person, ever more seldom when refused. `refusals`: how many in a row. */
export function pauseAfter(
  error: LarderError,
  { failures, refusals, pollMs }: { failures: number; refusals: number; pollMs: number },
): Pause {
  const asked = error.details?.retryAfterMs;
  if (typeof asked === "number") return { holdMs: asked * (1 + 0.2 * Math.random()), waitMs: 0 };
  const soon = Math.min(pollMs, 100 + backoffMs(failures, { baseMs: 250, maxMs: 30_000 }));
  const refused = Math.max(pollMs, Math.min(longestRefusedMs, pollMs * 2 ** Math.min(refusals - 1, 20)));
  return { holdMs: 0, waitMs: error.retryable ? soon : jittered(refusals > 0 ? refused : pollMs) };
}
