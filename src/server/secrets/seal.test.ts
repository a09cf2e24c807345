import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { seal, unseal } from "./seal.ts";

const key = randomBytes(32);

test("what was sealed opens with the same key and purpose, and with no other", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const sealed = seal(text, key, "a");
      expect(unseal(sealed, key, "a")).toBe(text);
      expect(unseal(sealed, key, "b")).toBeUndefined();
      expect(unseal(sealed, randomBytes(32), "a")).toBeUndefined();
    }),
    { numRuns: 30 },
  );
});

test("a changed or cut sealed value does not open", () => {
  const sealed = seal("secret", key, "a");
  const bytes = Buffer.from(sealed.slice(3), "base64");
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(unseal(`v1.${changed.toString("base64")}`, key, "a")).toBeUndefined();
    expect(unseal(`v1.${bytes.subarray(0, at).toString("base64")}`, key, "a")).toBeUndefined();
  }
  expect(unseal("", key, "a")).toBeUndefined();
  expect(unseal(sealed.replace("v1.", "v2."), key, "a")).toBeUndefined();
});

test("the same value never looks the same twice", () => {
  expect(seal("secret", key, "a")).not.toBe(seal("secret", key, "a"));
});
