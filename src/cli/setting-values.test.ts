import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseHostLimits } from "./host-limits.ts";
import { parseDuration, parseListenAddress } from "./setting-values.ts";

test("an address is a host and a port, or a port on loopback", () => {
  expect(parseListenAddress("0.0.0.0:80")).toEqual({ hostname: "0.0.0.0", port: 80 });
  expect(parseListenAddress("[::1]:7420")).toEqual({ hostname: "::1", port: 7420 });
  expect(parseListenAddress("0")).toEqual({ hostname: "127.0.0.1", port: 0 });
  for (const bad of [
    "",
    "localhost",
    "localhost:",
    ":80",
    "::1:80",
    "host:99999",
    "http://a:80",
    "a b:80",
    "host:-1",
    "host:8o",
  ]) {
    expect(() => parseListenAddress(bad)).toThrow("HOST:PORT");
  }
});

test("a time has a unit, or is in seconds", () => {
  expect(["500ms", "30s", "2m", "1.5h", "7", "3 min"].map(parseDuration)).toEqual([
    500, 30_000, 120_000, 5_400_000, 7000, 180_000,
  ]);
  for (const bad of ["", "0", "-1s", "1d", "s", "1e9", "9999999999", "25d", "1000h"])
    expect(() => parseDuration(bad)).toThrow("not a time");
});

test("whatever is parsed is a delay that a timer can keep", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        const ms = parseDuration(text);
        expect(ms > 0 && ms < 2 ** 31).toBe(true);
      } catch (error) {
        expect((error as Error).message).toContain("not a time");
      }
    }),
  );
});

test("limits of hosts are named, and those left out stay", () => {
  expect(parseHostLimits("blobs=3000, check-ins=500")).toEqual({ blobs: { perSecond: 3000 }, checkIn: { perSecond: 500 } });
  for (const bad of ["", "500", "check-ins", "check-ins=0", "check-ins=-1", "blobs=1e9", "people=5", "toString=5", "blobs=1,"])
    expect(() => parseHostLimits(bad)).toThrow("not requests in a second");
});
