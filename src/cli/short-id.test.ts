import { expect, test } from "bun:test";
import { completeId, shortId } from "./short-id.ts";

const ids = ["op-1f2e3d4c-9049-4eb5-a3e7-351b71004c65", "op-1f2e0000-9049-4eb5-a3e7-351b71004c65", "op_1"];

test("an id that nobody chose is shortened, others are whole", () => {
  expect(ids.map(shortId)).toEqual(["op-1f2e3d4c", "op-1f2e0000", "op_1"]);
});

test("the beginning of one id stands for it", () => {
  expect(completeId("op-1f2e3d4c", ids)).toBe(ids[0]!);
  expect(completeId("op_1", ids)).toBe("op_1");
  expect(completeId("op-unknown", ids)).toBe("op-unknown");
  expect(() => completeId("op-1f2e", ids)).toThrow("2 ids begin");
});
