import { expect, test } from "bun:test";
import { sleep } from "../lib/index.ts";
import { createThrottle } from "./throttle.ts";

test("the first value is written at once, a burst behind it becomes its last value, and settling writes what waits", async () => {
  const written: number[] = [];
  const throttle = createThrottle<number>(30, async (value) => void written.push(value));
  throttle.push(1);
  await sleep(1);
  expect(written).toEqual([1]);
  for (const value of [2, 3, 4]) throttle.push(value);
  await sleep(60);
  expect(written).toEqual([1, 4]);
  throttle.push(5);
  throttle.push(6);
  await throttle.settle();
  expect(written.at(-1)).toBe(6);
});

test("a write that fails does not stop later ones", async () => {
  const written: number[] = [];
  const throttle = createThrottle<number>(1, async (value) => {
    if (value === 1) throw new Error("no");
    written.push(value);
  });
  throttle.push(1);
  await sleep(5);
  throttle.push(2);
  await throttle.settle();
  expect(written).toEqual([2]);
});
