import { expect, test } from "bun:test";
import { mapConcurrent } from "./map-concurrent.ts";
import { Mutex } from "./mutex.ts";
import { sleep } from "./sleep.ts";

test("mapConcurrent keeps order and never exceeds its limit", async () => {
  let running = 0;
  let most = 0;
  const results = await mapConcurrent([5, 1, 3, 2, 4], { limit: 2 }, async (n) => {
    most = Math.max(most, ++running);
    await sleep(n);
    running--;
    return n * 10;
  });
  expect(results).toEqual([50, 10, 30, 20, 40]);
  expect(most).toBe(2);
});

test("mapConcurrent stops taking work at the first failure and waits for what is under way", async () => {
  const started: number[] = [];
  let finished = 0;
  const outcome = mapConcurrent([0, 1, 2, 3, 4, 5], { limit: 2 }, async (n) => {
    started.push(n);
    await sleep(n === 0 ? 1 : 10);
    if (n === 0) throw new Error("zero");
    finished++;
  });
  expect(outcome).rejects.toThrow("zero");
  await outcome.catch(() => {});
  expect(started).toEqual([0, 1]);
  expect(finished).toBe(1);
});

test("mapConcurrent ends with the signal's reason", async () => {
  const controller = new AbortController();
  controller.abort(new Error("enough"));
  expect(mapConcurrent([1], { limit: 1, signal: controller.signal }, async () => {})).rejects.toThrow("enough");
});

test("a mutex runs one task at a time, in order, and survives a failing one", async () => {
  const mutex = new Mutex();
  const log: string[] = [];
  const task = (name: string, fail = false) =>
    mutex.run(async () => {
      log.push(`${name}+`);
      await sleep(1);
      log.push(`${name}-`);
      if (fail) throw new Error(name);
    });
  const outcomes = await Promise.allSettled([task("a"), task("b", true), task("c")]);
  expect(log).toEqual(["a+", "a-", "b+", "b-", "c+", "c-"]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});
