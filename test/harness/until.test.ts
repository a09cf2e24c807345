import { expect, test } from "bun:test";
import { until } from "./until.ts";

test("until gives the first value that is something", async () => {
  let calls = 0;
  expect(await until("it counts to three", () => ++calls >= 3 && calls, { everyMs: 1 })).toBe(3);
});

test("until lets attempts fail, and tells the last failure when time is up", async () => {
  const failing = until("pigs fly", () => Promise.reject(new Error("no wings")), { timeoutMs: 20, everyMs: 5 });
  await expect(failing).rejects.toThrow(/waiting until pigs fly\. Last seen: no wings/);
});

test("until stops at its signal", async () => {
  const waiting = until("never", () => false, { signal: AbortSignal.timeout(20), everyMs: 5 });
  await expect(waiting).rejects.toThrow("timed out");
});
