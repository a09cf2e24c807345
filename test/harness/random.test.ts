import { expect, spyOn, test } from "bun:test";
import { createRandom, withRandom } from "./random.ts";

test("one seed gives one sequence, another seed another", () => {
  const sequence = (seed: number) => Array.from({ length: 5 }, createRandom(seed).next);
  expect(sequence(1)).toEqual(sequence(1));
  expect(sequence(1)).not.toEqual(sequence(2));
});

test("integers stay within their bounds and reach both", () => {
  const random = createRandom(7);
  const seen = new Set(Array.from({ length: 200 }, () => random.integer(3, 5)));
  expect([...seen].sort()).toEqual([3, 4, 5]);
});

test("a shuffle keeps every item once", () => {
  const items = Array.from({ length: 50 }, (_, i) => i);
  const shuffled = createRandom(3).shuffle(items);
  expect(shuffled).not.toEqual(items);
  expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
});

test("a failure under randomness says its seed", async () => {
  const said = spyOn(console, "error").mockImplementation(() => {});
  try {
    let seed = 0;
    const failing = withRandom((random) => {
      seed = random.seed;
      throw new Error("found one");
    });
    await expect(failing).rejects.toThrow("found one");
    expect(said.mock.calls[0]?.[0]).toContain(`LARDER_TEST_SEED=${seed}`);
  } finally {
    said.mockRestore();
  }
});
