import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import semver from "semver";
import { isExactVersion } from "./exact-version.ts";
import { blobKeyOf, type Integrity, integrityOf, isBlobKey, isIntegrity } from "./integrity.ts";
import { isPackageName, scopeOf } from "./package-name.ts";
import { formatPlatform, matchesPlatform, parsePlatform } from "./platform.ts";

describe("package names", () => {
  test.each(["lodash", "@types/node", "@corp/utils", "JSONStream", "a", "lodash.merge", "@a/b.c", "_x", "-x"])(
    "%s is one",
    (name) => {
      expect(isPackageName(name)).toBe(true);
    },
  );

  test.each([
    "",
    ".",
    "..",
    ".hidden",
    "../x",
    "a/b",
    "@a",
    "@a/",
    "@/a",
    "@a/../../x",
    "@a/.b",
    "@./b",
    "a?b#c",
    "a b",
    "%00",
    "a\0b",
    "..%2f..%2f-/user",
    "a\\b",
    "node_modules",
    "favicon.ico",
    "@a/b/c",
    "x".repeat(215),
    "é",
    "a\n",
  ])("%j is none", (name) => {
    expect(isPackageName(name)).toBe(false);
  });

  test("no name that passes can leave its folder", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."@/.\\~-_aZ0%"), maxLength: 12 }), (text) => {
        if (!isPackageName(text)) return;
        for (const part of text.split("/")) expect([".", "..", ""]).not.toContain(part);
        expect(text.split("/").length).toBe(text.startsWith("@") ? 2 : 1);
      }),
      { numRuns: 5000 },
    );
  });

  test("a scope is what stands before the slash", () => {
    expect(scopeOf("@corp/utils" as never)).toBe("@corp");
    expect(scopeOf("utils" as never)).toBeUndefined();
  });
});

describe("exact versions", () => {
  test("agree with semver on every generated string that semver leaves unchanged", () => {
    const part = fc.constantFrom(
      "0",
      "1",
      "10",
      "01",
      "x",
      "-alpha",
      "-0",
      "-01",
      "-a.1",
      "+b",
      "+b.01",
      "v1",
      "^1",
      " 1",
      "1 ",
      "*",
      "",
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), fc.constantFrom(".", ""), (parts, glue) => {
        const text = parts.join(glue);
        const parsed = semver.parse(text);
        const exact =
          parsed !== null && `${parsed.version}${parsed.build.length > 0 ? `+${parsed.build.join(".")}` : ""}` === text;
        expect(isExactVersion(text)).toBe(exact);
      }),
      { numRuns: 20_000 },
    );
  });

  test.each(["1.2.3", "0.0.0-0", "1.0.0-rc.1+build.5", "10.20.30"])("%s is one", (text) =>
    expect(isExactVersion(text)).toBe(true),
  );
  test.each(["1.2", "^1.2.3", "v1.2.3", "1.2.3 ", "latest", "1.2.3/../x", "01.2.3"])("%s is none", (text) =>
    expect(isExactVersion(text)).toBe(false),
  );
});

test("an integrity and its blob key are two forms of one digest", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (digest) => {
      const integrity = `sha512-${Buffer.from(digest).toString("base64")}`;
      if (!isIntegrity(integrity)) throw new Error(integrity);
      expect(blobKeyOf(integrity)).toBe(Buffer.from(digest).toString("hex") as never);
      expect(isBlobKey(blobKeyOf(integrity))).toBe(true);
      expect(integrityOf(blobKeyOf(integrity))).toBe(integrity as Integrity);
    }),
  );
});

describe("platforms", () => {
  const musl = parsePlatform("linux-x64-musl");
  const glibc = parsePlatform("linux-x64");

  test("Linux without a C library means glibc", () => expect(formatPlatform(glibc)).toBe("linux-x64-glibc"));

  test.each([
    [{}, true, true],
    [{ os: [] }, true, true],
    [{ os: ["linux"], cpu: ["x64"] }, true, true],
    [{ os: ["darwin"] }, false, false],
    [{ os: ["!win32"] }, true, true],
    [{ os: ["!linux"] }, false, false],
    [{ cpu: ["arm64", "x64"] }, true, true],
    [{ libc: ["glibc"] }, true, false],
    [{ libc: ["musl"] }, false, true],
  ])("%j suits glibc: %p, musl: %p", (constraint, onGlibc, onMusl) => {
    expect(matchesPlatform(constraint, glibc)).toBe(onGlibc);
    expect(matchesPlatform(constraint, musl)).toBe(onMusl);
  });

  test("a package for one C library suits no system without one", () => {
    expect(matchesPlatform({ libc: ["glibc"] }, parsePlatform("darwin-arm64"))).toBe(false);
  });
});
