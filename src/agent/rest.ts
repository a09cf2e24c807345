import { jittered } from "../lib/index.ts";
import type { StreamTrust } from "./stream-trust.ts";
import type { Wake } from "./wake.ts";

interface RestOptions {
  /** Until the next look, if nothing makes it later. */
  waitMs: number;
  pollMs: number;
  wake: Pick<Wake, "wait">;
  trust: Pick<StreamTrust, "isEarned">;
  /** Something on this host asks for a look, of which no event tells. */
  isWanted(): Promise<boolean>;
  signal: AbortSignal;
  now?: () => number;
}

/** No lengthening goes beyond this: a host reports when it looks, and is taken for silent after 150 s. */
const longestMs = 60_000;
const times = 4;

/**
 * Returns when it is time to look: when woken, and else after `waitMs`, or about four polls while the stream is trusted and nothing here wants a look. That is
 * asked anew at each poll that is left out, so that a stream that ended costs one poll at most.
 */
export async function restUntilDue({
  waitMs,
  pollMs,
  wake,
  trust,
  isWanted,
  signal,
  now = () => performance.now(),
}: RestOptions): Promise<void> {
  // Half a poll earlier: with jitter the fourth tick then is the last.
  const dueAt = now() + Math.min(longestMs, times * pollMs) - pollMs / 2;
  for (let ms = waitMs; ; ms = jittered(pollMs)) {
    const woken = await wake.wait(ms, signal);
    if (woken || signal.aborted || now() >= dueAt || !trust.isEarned() || (await isWanted())) return;
  }
}
