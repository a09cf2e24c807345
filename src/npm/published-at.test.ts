import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseTime, publishedAt } from "./published-at.ts";

describe("a time that a registry gives", () => {
  test.each([
    ["2026-01-31T12:00:00.000Z", Date.UTC(2026, 0, 31, 12)],
    ["2026-01-31T12:00:00Z", Date.UTC(2026, 0, 31, 12)],
    ["2026-01-31T12:00:00+02:00", Date.UTC(2026, 0, 31, 10)],
    ["2024-12-12T23:23:54.052000+00:00", Date.UTC(2024, 11, 12, 23, 23, 54, 52)],
    ["2024-12-12T23:23:54.052001+00:00", Date.UTC(2024, 11, 12, 23, 23, 54, 53)],
  ])("%s is read", (text, expected) => expect(parseTime(text)).toBe(expected));

  test.each([
    "2026-01-31T12:00:00",
    "2026-01-31",
    "2026-01-31T12:00:00 UTC",
    "Sat, 31 Jan 2026 12:00:00 GMT",
    "2026-13-31T12:00:00Z",
    "2026-01-31T12:00:00+2:00",
    "1769860800000",
    "",
    1769860800000,
    null,
    {},
  ])("%p is none", (text) => expect(parseTime(text)).toBeUndefined());

  test("of any moment is never read as earlier than it is", () => {
    const moments = fc.date({ min: new Date("1990-01-01"), max: new Date("2100-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(moments, fc.nat(999), (moment, micros) => {
        const text = moment.toISOString().replace("Z", `${String(micros).padStart(3, "0")}Z`);
        expect(parseTime(text)).toBe(moment.getTime() + (micros > 0 ? 1 : 0));
      }),
    );
  });
});

describe("when a version was published", () => {
  const modified = "2026-01-31T12:00:00.000Z";

  test("is what the document says of it, or else not after the document's last change", () => {
    expect(publishedAt({ time: { "1.0.0": "2026-01-01T00:00:00.000Z" }, modified }, "1.0.0")).toBe(Date.UTC(2026, 0, 1));
    expect(publishedAt({ modified }, "1.0.0")).toBe(Date.UTC(2026, 0, 31, 12));
  });

  test("is unknown when a document with times has none for it", () => {
    expect(publishedAt({ time: {}, modified }, "1.0.0")).toBeUndefined();
    expect(publishedAt({ time: { "1.0.0": "yesterday" }, modified }, "1.0.0")).toBeUndefined();
    expect(publishedAt({}, "1.0.0")).toBeUndefined();
  });
});
