import { expect, test } from "bun:test";
import { restUntilDue } from "./rest.ts";
import { createStreamTrust } from "./stream-trust.ts";

const { signal } = new AbortController();
const pollMs = 15_000;

/** Waits that take no time but their own; `during` is called in each with how much is over. */
async function rest({
  isEarned,
  isWanted = () => false,
  wokenAfterMs = Number.POSITIVE_INFINITY,
  polls = pollMs,
}: Case): Promise<{ ms: number; ticks: number }> {
  let [at, ticks] = [0, 0];
  const wake = {
    async wait(ms: number) {
      ticks += 1;
      at = Math.min(at + ms, Math.max(at, wokenAfterMs));
      return at >= wokenAfterMs;
    },
  };
  const trust = { isEarned: () => isEarned(at) };
  await restUntilDue({ waitMs: polls, pollMs: polls, wake, trust, isWanted: async () => isWanted(at), signal, now: () => at });
  return { ms: at, ticks };
}

interface Case {
  isEarned(atMs: number): boolean;
  isWanted?(atMs: number): boolean;
  wokenAfterMs?: number;
  polls?: number;
}

test("a host looks after one poll, and after three to five while its stream is trusted; never more than 71 s apart", async () => {
  expect(await rest({ isEarned: () => false })).toEqual({ ms: pollMs, ticks: 1 });
  for (let n = 0; n < 200; n++) {
    const { ms } = await rest({ isEarned: () => true });
    expect(ms).toBeGreaterThanOrEqual(52_500);
    expect(ms).toBeLessThan(71_000);
  }
});

test("it looks at the next poll once its stream is not trusted any more, or something here wants it, and at once when it is woken", async () => {
  for (let n = 0; n < 50; n++) {
    const { ms } = await rest({ isEarned: (at) => at < 20_000 });
    expect(ms).toBeGreaterThanOrEqual(20_000);
    expect(ms).toBeLessThan(20_000 + 1.2 * pollMs);
    const local = await rest({ isEarned: () => true, isWanted: (at) => at >= 20_000 });
    expect(local.ms).toBeLessThan(20_000 + 1.2 * pollMs);
  }
  expect((await rest({ isEarned: () => true, wokenAfterMs: 31_000 })).ms).toBe(31_000);
});

test("who asks once a minute or less often does not ask less often still", async () => {
  expect(await rest({ isEarned: () => true, polls: 300_000 })).toEqual({ ms: 300_000, ticks: 1 });
  expect((await rest({ isEarned: () => true, polls: 60_000 })).ticks).toBe(1);
});

test("a stream is trusted when it has lived for a while, was heard of lately, and told of all that asking found", () => {
  let at = 0;
  const trust = createStreamTrust(() => at);
  const after = (ms: number, act: () => void = () => {}) => {
    at += ms;
    act();
    return trust.isEarned();
  };
  expect(after(0)).toBe(false);
  trust.opened();
  trust.told(3);
  trust.found(3);
  expect(after(0, trust.heard)).toBe(false);
  expect(after(9000, trust.heard)).toBe(false);
  // Alive but without a word since its beginning.
  expect(after(60_000)).toBe(false);
  expect(after(1000, trust.heard)).toBe(true);
  expect(after(39_000)).toBe(true);
  expect(after(2000)).toBe(false);
  expect(after(0, trust.heard)).toBe(true);
  // Something in between keeps events to itself, and lets heartbeats pass.
  expect(after(0, () => trust.found(4))).toBe(false);
  expect(after(15_000, trust.heard)).toBe(false);
  expect(after(0, () => trust.told(4))).toBe(true);
  expect(after(0, trust.ended)).toBe(false);
  trust.opened();
  expect(after(0, trust.heard)).toBe(false);
});
