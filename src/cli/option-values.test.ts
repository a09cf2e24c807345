import { expect, test } from "bun:test";
import { parseAge, parseExpiry, parseRate, parseWhole } from "./option-values.ts";

test.each([
  ["500kB", 500_000],
  ["20MB", 20_000_000],
  ["1.5 gb/s", 1_500_000_000],
  ["4096", 4096],
])("a rate of %s is %d bytes per second", (text, bytes) => {
  expect(parseRate("--rate")(text)).toBe(bytes);
});

test.each(["", "fast", "-1MB", "10", "1e6", "5TB"])("%p is no rate", (text) => {
  expect(() => parseRate("--rate")(text)).toThrow("--rate");
});

test.each([
  ["0", 0],
  ["0h", 0],
  ["30m", 1_800_000],
  ["24h", 86_400_000],
  ["90d", 7_776_000_000],
])("an age of %s is %d ms", (text, ms) => {
  expect(parseAge("--grace")(text)).toBe(ms);
});

test.each(["", "soon", "-1h", "1w", "3"])("%p is no age", (text) => {
  expect(() => parseAge("--grace")(text)).toThrow("--grace");
});

test("an expiry is a time from now or a date ahead", () => {
  const expiry = parseExpiry("--expires");
  expect(expiry("30d")).toBe(30 * 86_400_000);
  expect(Math.abs(expiry("2999-01-31T00:00:00Z") + Date.now() - Date.parse("2999-01-31T00:00:00Z"))).toBeLessThan(60_000);
  expect(() => expiry("2001-01-31")).toThrow("past");
  expect(() => expiry("2030-13-41")).toThrow("not a time");
});

test("a whole number may be 0, and nothing else than a number", () => {
  expect(parseWhole("--keep")("0")).toBe(0);
  expect(() => parseWhole("--keep")("-1")).toThrow("--keep");
});
