import { expect, test } from "bun:test";
import fc from "fast-check";
import { createTextTable } from "./text-table.ts";

test("holds what a Map would, whatever the texts and in whatever order", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: "grapheme", maxLength: 20 }), fc.nat(255)), { maxLength: 2000 }), (given) => {
      const [table, model] = [createTextTable({ mapped: 20 }), new Map<string, number>()];
      for (const [text, value] of given) {
        expect(table.get(text)).toBe(model.get(text) as number);
        if (model.has(text)) continue;
        table.add(text, value);
        model.set(text, value);
      }
      expect(table.size()).toBe(model.size);
      for (const [text, value] of model) expect(table.get(text)).toBe(value);
    }),
  );
});

test("grows", () => {
  const table = createTextTable();
  for (let index = 0; index < 50_000; index++) table.add(`a/rather/long/folder/${index}`, index & 1);
  expect([table.size(), table.get("a/rather/long/folder/49999"), table.get("a/rather/long/folder/50000")]).toEqual([
    50_000,
    1,
    undefined,
  ]);
});
