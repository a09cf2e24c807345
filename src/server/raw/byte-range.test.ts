import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseByteRange } from "./byte-range.ts";

test.each([
  [null, "all"],
  ["bytes=0-", { start: 0, end: 100 }],
  ["bytes=0-0", { start: 0, end: 1 }],
  ["bytes=10-19", { start: 10, end: 20 }],
  ["bytes=90-200", { start: 90, end: 100 }],
  ["bytes=-10", { start: 90, end: 100 }],
  ["bytes=-1000", { start: 0, end: 100 }],
  ["bytes=100-", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=5-4", "all"],
  ["bytes=0-1,5-6", "all"],
  ["items=0-1", "all"],
  ["bytes=a-b", "all"],
  ["bytes=-", "all"],
] as const)("of 100 bytes, %p means %p", (header, meaning) => {
  expect(parseByteRange(header, 100)).toEqual(typeof meaning === "string" ? { kind: meaning } : { kind: "part", ...meaning });
});

test("a part is never empty and never outside", () => {
  fc.assert(
    fc.property(fc.nat(300), fc.option(fc.nat(300)), fc.option(fc.nat(300)), (size, first, last) => {
      const range = parseByteRange(`bytes=${first ?? ""}-${last ?? ""}`, size);
      if (range.kind !== "part") return;
      expect(range.start).toBeGreaterThanOrEqual(0);
      expect(range.start).toBeLessThan(range.end);
      expect(range.end).toBeLessThanOrEqual(size);
    }),
  );
});
