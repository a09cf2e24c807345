import { expect, test } from "bun:test";
import fc from "fast-check";
import { canonicalJson } from "./canonical-json.ts";
import type { DesiredState } from "./desired-state.ts";
import { keyIdOf } from "./ed25519.ts";
import { assertDesiredStateSignature, generateSigningKey, signDesiredState } from "./signing.ts";

const desired = {
  format: 1,
  storeId: "store-0001",
  environment: "default",
  generation: 3,
  lockfileHash: "a".repeat(64),
  manifestDigest: `sha512-${"A".repeat(86)}==`,
  issuedAt: "2026-01-01T00:00:00.000Z",
  expiresAt: "2026-02-01T00:00:00.000Z",
} as DesiredState;

test("a signature holds for its document and for no other", async () => {
  const key = await generateSigningKey();
  const signed = await signDesiredState(desired, key);
  await assertDesiredStateSignature(signed, key.publicKey);
  for (const changed of [
    { ...signed, desired: { ...desired, generation: 4 } },
    { ...signed, signature: "AAAA" },
    { ...signed, signature: "%%" },
  ]) {
    expect(assertDesiredStateSignature(changed, key.publicKey)).rejects.toMatchObject({ code: "E_SIGNATURE" });
  }
});

test("another key's signature is refused, also under the trusted key's id", async () => {
  const [trusted, other] = [await generateSigningKey(), await generateSigningKey()];
  const signed = await signDesiredState(desired, other);
  expect(assertDesiredStateSignature(signed, trusted.publicKey)).rejects.toMatchObject({ code: "E_SIGNATURE" });
  const forged = { ...signed, keyId: await keyIdOf(trusted.publicKey) };
  expect(assertDesiredStateSignature(forged, trusted.publicKey)).rejects.toMatchObject({ code: "E_SIGNATURE" });
});

test("canonical JSON does not depend on the order of keys, and parses back to the same value", () => {
  const shuffled = (value: unknown): unknown =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .reverse()
            .map(([k, v]) => [k, shuffled(v)]),
        )
      : Array.isArray(value)
        ? value.map(shuffled)
        : value;
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(canonicalJson(JSON.parse(text))).toBe(text);
      expect(canonicalJson(shuffled(value))).toBe(text);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1])("canonical JSON refuses what JSON cannot say", (value) => {
  expect(() => canonicalJson({ value })).toThrow("is not JSON");
});
