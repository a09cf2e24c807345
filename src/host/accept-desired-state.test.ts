import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type DesiredState,
  type EnvironmentName,
  generateSigningKey,
  type Integrity,
  type LockfileHash,
  type SigningKey,
  signDesiredState,
} from "../contract/index.ts";
import { acceptDesiredState } from "./accept-desired-state.ts";
import { openHostStore } from "./host-store.ts";
import { readAccepted, readIdentity, writeIdentity } from "./state.ts";
import { failureOf, openTestStore } from "./store-fixture.test-support.ts";

const nowMs = Date.parse("2026-06-01T12:00:00.000Z");
const at = (offsetMs: number) => new Date(nowMs + offsetMs).toISOString();
const key = await generateSigningKey();
const other = await generateSigningKey();

const desired = (changes: Partial<DesiredState> = {}): DesiredState => ({
  format: 1,
  storeId: "store-0001",
  environment: "default" as EnvironmentName,
  generation: 5,
  lockfileHash: "a".repeat(64) as LockfileHash,
  manifestDigest: `sha512-${"A".repeat(86)}==` as Integrity,
  issuedAt: at(0),
  expiresAt: at(60_000),
  ...changes,
});
const signed = (changes: Partial<DesiredState> = {}, by: SigningKey = key) => signDesiredState(desired(changes), by);

async function enrolled() {
  const host = await openTestStore({ clock: { now: () => nowMs } });
  await writeIdentity(host.writer, {
    hostId: "host-1",
    environment: "default" as EnvironmentName,
    storeId: "store-0001",
    publicKey: key.publicKey,
    server: "http://127.0.0.1:7420",
  });
  return host;
}

test("a host remembers who it is", async () => {
  await using host = await enrolled();
  expect(await readIdentity(host.store)).toMatchObject({ hostId: "host-1", storeId: "store-0001" });
});

describe("a desired state", () => {
  test("is accepted, and remembered before the answer", async () => {
    await using host = await enrolled();
    expect(await acceptDesiredState(host.writer, await signed())).toEqual(desired());
    expect(await readAccepted(host.store)).toMatchObject({
      generation: 5,
      lockfileHash: "a".repeat(64) as LockfileHash,
      issuedAt: at(0),
    });
  });

  test("may come again, issued later; the latest issue is remembered", async () => {
    await using host = await enrolled();
    for (const offset of [0, 5000, 2000]) await acceptDesiredState(host.writer, await signed({ issuedAt: at(offset) }));
    expect((await readAccepted(host.store))?.issuedAt).toBe(at(5000));
  });

  test("may be higher by any step, with any content", async () => {
    await using host = await enrolled();
    await acceptDesiredState(host.writer, await signed());
    await acceptDesiredState(
      host.writer,
      await signed({ generation: 9, lockfileHash: "b".repeat(64) as LockfileHash, issuedAt: at(-5000) }),
    );
    expect((await readAccepted(host.store))?.generation).toBe(9);
  });

  const tampered = async () => ({ ...(await signed()), desired: desired({ generation: 6 }) });
  const unsigned = async () => ({ desired: desired() }) as never;
  test.each([
    ["unsigned", unsigned, "E_SIGNATURE"],
    ["not one at all", async () => "<html>" as never, "E_SIGNATURE"],
    ["signed by another key", () => signed({}, other), "E_SIGNATURE"],
    ["signed by another key under our key's id", async () => ({ ...(await signed({}, other)), keyId: key.keyId }), "E_SIGNATURE"],
    ["changed after it was signed", tampered, "E_SIGNATURE"],
    ["another store's", () => signed({ storeId: "store-0002" }), "E_WRONG_STORE"],
    ["another environment's", () => signed({ environment: "staging" as EnvironmentName }), "E_WRONG_STORE"],
    ["lower", () => signed({ generation: 4 }), "E_ROLLBACK"],
    ["the same number with another tree", () => signed({ lockfileHash: "b".repeat(64) as LockfileHash }), "E_EQUIVOCATION"],
    [
      "the same number with another manifest",
      () => signed({ manifestDigest: `sha512-${"B".repeat(86)}==` as Integrity }),
      "E_EQUIVOCATION",
    ],
    ["expired", () => signed({ generation: 6, expiresAt: at(0) }), "E_EXPIRED"],
  ])("that is %s is refused, and nothing changes", async (_, make, code) => {
    await using host = await enrolled();
    await acceptDesiredState(host.writer, await signed());
    const before = await readAccepted(host.store);
    const failure = await failureOf(acceptDesiredState(host.writer, await make()));
    expect(failure.code).toBe(code);
    expect(await readAccepted(host.store)).toEqual(before as never);
  });

  test("expires by the control plane's time when that is known", async () => {
    await using host = await enrolled();
    const old = await signed({ issuedAt: at(-1000), expiresAt: at(-500) });
    expect((await failureOf(acceptDesiredState(host.writer, old))).code).toBe("E_EXPIRED");
    await acceptDesiredState(host.writer, old, { nowMs: nowMs - 600 });
  });

  test("is refused by a host that is not enrolled", async () => {
    await using host = await openTestStore();
    expect((await failureOf(acceptDesiredState(host.writer, await signed()))).code).toBe("E_NOT_READY");
  });
});

describe("a state file", () => {
  test.each([
    ["torn", '{"format":1,', "E_STORE_UNAVAILABLE"],
    ["empty", "", "E_STORE_UNAVAILABLE"],
    ["of another shape", '{"format":1,"generation":"5"}', "E_STORE_UNAVAILABLE"],
    ["of a newer version", '{"format":2}', "E_SCHEMA_NEWER"],
  ])("that is %s is named, and never taken for a fresh start", async (_, text, code) => {
    await using host = await enrolled();
    await writeFile(join(host.store.layout.state, "accepted.json"), text);
    const failure = await failureOf(acceptDesiredState(host.writer, await signed()));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain("accepted.json");
  });

  test("keeps a store to one platform", async () => {
    await using host = await openTestStore();
    const failure = await failureOf(
      openHostStore({ directory: host.store.directory, platform: { os: "linux", cpu: "arm64", libc: "musl" } }),
    );
    expect(failure.code).toBe("E_PLATFORM");
    expect(failure.message).toContain("linux-x64-glibc");
  });
});
