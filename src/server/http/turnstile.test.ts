import { expect, test } from "bun:test";
import { createTurnstile } from "./turnstile.ts";

test("at most so many are inside, in the order in which they came, also when some fail", async () => {
  const enter = createTurnstile(2);
  const order: number[] = [];
  let [inside, most] = [0, 0];
  const outcomes = await Promise.allSettled(
    Array.from({ length: 9 }, (_, i) =>
      enter(async () => {
        order.push(i);
        most = Math.max(most, ++inside);
        await Bun.sleep(2);
        inside -= 1;
        if (i % 3 === 0) throw new Error(String(i));
      }),
    ),
  );
  expect(most).toBe(2);
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(outcomes.filter(({ status }) => status === "rejected").length).toBe(3);
  expect(await enter(async () => "free again")).toBe("free again");
});
