import { expect, test } from "bun:test";
import { LarderError } from "../contract/index.ts";
import { pauseAfter } from "./pause-after.ts";

test("a host that is refused asks half as often each time, down to once in about five minutes", () => {
  const refused = new LarderError("E_UNAUTHENTICATED", "refused");
  const waits = (pollMs: number) =>
    [1, 2, 3, 10, 99].map((refusals) => pauseAfter(refused, { failures: refusals, refusals, pollMs }).waitMs);
  for (const [pollMs, centres] of [
    [2000, [2000, 4000, 8000, 300_000, 300_000]],
    [600_000, Array(5).fill(600_000)],
  ] as const) {
    for (const [index, waitMs] of waits(pollMs).entries()) expect(waitMs / centres[index]!).toBeWithin(0.8, 1.2001);
  }
});

test("what needs a person but is no refusal is tried at the usual pace", () => {
  const { waitMs } = pauseAfter(new LarderError("E_ROLLBACK", "no"), { failures: 50, refusals: 0, pollMs: 1000 });
  expect(waitMs).toBeWithin(800, 1201);
});
