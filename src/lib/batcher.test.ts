import { expect, test } from "bun:test";
import { createBatcher } from "./batcher.ts";

const never = () => false;

test("questions of one moment are answered together, those that come meanwhile next, at most so many at once", async () => {
  const batches: number[][] = [];
  const gate = Promise.withResolvers<void>();
  const ask = createBatcher<number, number>({
    max: 3,
    concernsAll: never,
    async run(questions) {
      batches.push([...questions]);
      await gate.promise;
      return questions.map((question) => question * 2);
    },
  });
  const first = [1, 2].map(ask);
  while (batches.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const later = [3, 4, 5, 6].map(ask);
  gate.resolve();
  expect(await Promise.all([...first, ...later])).toEqual([2, 4, 6, 8, 10, 12]);
  expect(batches).toEqual([[1, 2], [3, 4, 5], [6]]);
  expect(await ask(7)).toBe(14);
});

test("only the question that cannot be answered fails", async () => {
  const ask = createBatcher<number, number>({
    max: 100,
    concernsAll: never,
    async run(questions) {
      if (questions.includes(13)) throw new Error("not 13");
      return questions;
    },
  });
  const settled = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => ask(i)));
  expect(settled.flatMap(({ status }, i) => (status === "rejected" ? [i] : []))).toEqual([13]);
});

test("what concerns all is told to all at once", async () => {
  let runs = 0;
  const ask = createBatcher<number, number>({
    max: 100,
    concernsAll: () => true,
    async run() {
      runs += 1;
      throw new Error("away");
    },
  });
  const settled = await Promise.allSettled([1, 2, 3].map(ask));
  expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(runs).toBe(1);
});
