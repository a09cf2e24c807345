import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildGeneration } from "../../test/harness/fixture-generation.ts";
import { formatEnrolmentToken, generateSigningKey, keyIdOf, signDesiredState } from "../contract/index.ts";
import { currentTree, readIdentity, readKeptManifest, verifyStore } from "../host/index.ts";
import { armFailpoints } from "../lib/index.ts";
import { createReconcileMemory } from "./index.ts";
import { type FakeControlPlane, openFakeControlPlane } from "./testing/fake-control-plane.ts";
import { openTestHost, type TestHost } from "./testing/open-test-host.ts";

const shared = { name: "shared", version: "1.0.0" };
const first = buildGeneration([{ name: "a", version: "1.0.0", dependencies: { shared: "1.0.0" } }, shared], ["a"]);
const second = buildGeneration([{ name: "a", version: "2.0.0", dependencies: { shared: "1.0.0" } }, shared], ["a"]);
let fake: FakeControlPlane;
let host: TestHost;
beforeEach(async () => {
  fake = await openFakeControlPlane();
  host = await openTestHost(fake);
});
afterEach(async () => {
  armFailpoints(undefined);
  await host[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
});

describe("a pass", () => {
  test("enrols, builds the desired tree and flips to it", async () => {
    await fake.publish(first, 1);
    const result = await host.reconcile({ recheckAfterMs: 0 });
    expect(result).toMatchObject({ kind: "flipped", tree: { generation: 1, lockfileHash: first.lockfileHash }, pulledBlobs: 2 });
    expect(Object.keys(result.timingsMs)).toEqual(
      expect.arrayContaining([
        "identity",
        "desired",
        "accept",
        "manifest",
        "plan",
        "materialise",
        "recheck",
        "flip",
        "sweep",
        "total",
      ]),
    );
    expect(await host.served()).toBe(first.lockfileHash);
    expect(JSON.parse(await readFile(join(host.directory, "current/node_modules/a/package.json"), "utf8")).version).toBe("1.0.0");
    expect(await readIdentity(host.store)).toMatchObject({ hostId: "host-1", server: fake.url.href });
    expect((await verifyStore(host.store)).intact).toBe(true);
    expect(await readKeptManifest(host.store, first.lockfileHash)).toEqual(first.manifest);
  });

  test("is one conditional request when there is nothing to do", async () => {
    await fake.publish(first, 1);
    const memory = createReconcileMemory();
    await host.reconcile({ memory });
    fake.requests.length = 0;
    const result = await host.reconcile({ memory });
    expect(result).toMatchObject({ kind: "unchanged", tree: { generation: 1 }, pulledBytes: 0 });
    expect(fake.requests).toEqual(["GET /api/desired 304"]);
  });

  test("says none while nothing was installed", async () => {
    expect(await host.reconcile()).toMatchObject({ kind: "none", pulledBytes: 0 });
    expect(await host.served()).toBeUndefined();
  });

  test("pulls only what changed, and goes back to a tree that is still there without pulling", async () => {
    await fake.publish(first, 1);
    await host.reconcile();
    await fake.publish(second, 2);
    expect(await host.reconcile()).toMatchObject({ kind: "flipped", pulledBlobs: 1, tree: { generation: 2 } });
    await fake.publish(first, 3);
    expect(await host.reconcile()).toMatchObject({ kind: "flipped", pulledBlobs: 0, tree: { generation: 3 } });
    expect(await host.served()).toBe(first.lockfileHash);
  });

  test("goes back to a tree that it knows with one request, and again looks at one that it does not know", async () => {
    const memory = createReconcileMemory();
    for (const [index, generation] of [first, second].entries()) {
      await fake.publish(generation, index + 1);
      await host.reconcile({ memory });
    }
    await fake.publish(first, 3);
    fake.requests.length = 0;
    expect(await host.reconcile({ memory })).toMatchObject({ kind: "flipped", packagesBuilt: 0, tree: { generation: 3 } });
    expect(fake.requests).toEqual(["GET /api/desired 200"]);
    await rm(join(host.store.layout.trees, second.lockfileHash), { recursive: true });
    await fake.publish(second, 4);
    expect(await host.reconcile({ memory })).toMatchObject({ kind: "flipped", tree: { generation: 4 } });
    expect((await verifyStore(host.store)).problems).toEqual([]);
  });

  test("asks for what changed in the manifest, and keeps it whole", async () => {
    const memory = createReconcileMemory();
    const sizes: number[] = [];
    fake.tamper = (path, bytes) => {
      if (path.startsWith("/api/manifests/")) sizes.push(bytes.length);
      return bytes;
    };
    await fake.publish(first, 1);
    await host.reconcile({ memory });
    await fake.publish(second, 2);
    await host.reconcile({ memory });
    expect(sizes).toEqual([first.bytes.length, expect.any(Number)]);
    expect(sizes[1]).toBeLessThan(second.bytes.length);
    expect(await readKeptManifest(host.store, second.lockfileHash)).toEqual(second.manifest);
    expect((await verifyStore(host.store)).problems).toEqual([]);
  });

  test("asks for the whole manifest when what it was told of the change does not make the signed one", async () => {
    const memory = createReconcileMemory();
    await fake.publish(first, 1);
    await host.reconcile({ memory });
    fake.tamper = (path, bytes) => {
      const text = Buffer.from(bytes).toString();
      const isDelta = path.startsWith("/api/manifests/") && !text.includes('"nodes"');
      return isDelta ? Buffer.from(text.replaceAll("2.0.0", "3.0.0")) : bytes;
    };
    fake.requests.length = 0;
    await fake.publish(second, 2);
    expect(await host.reconcile({ memory })).toMatchObject({ kind: "flipped", tree: { lockfileHash: second.lockfileHash } });
    expect(fake.requests.filter((line) => line.includes("/api/manifests/"))).toHaveLength(2);
  });

  test("follows a generation whose tree is the same", async () => {
    await fake.publish(first, 1);
    await host.reconcile();
    await fake.publish(first, 2);
    expect(await host.reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 2 }, pulledBlobs: 0 });
  });

  test("builds an empty tree from an empty allowlist", async () => {
    await fake.publish(buildGeneration([], []), 1);
    expect(await host.reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 1 } });
    expect(await readdir(join(host.directory, "current/node_modules"))).toEqual([]);
  });

  test("lets the newest generation win when it comes during the build", async () => {
    await fake.publish(first, 1);
    armFailpoints(async (name) => {
      if (name !== "reconcile:before-recheck") return;
      armFailpoints(undefined);
      await fake.publish(second, 2);
    });
    const result = await host.reconcile({ recheckAfterMs: 0 });
    expect(result).toMatchObject({ kind: "flipped", tree: { generation: 2, lockfileHash: second.lockfileHash } });
  });

  test("asks nothing more before the flip when the build was a matter of moments", async () => {
    await fake.publish(first, 1);
    await host.reconcile({ recheckAfterMs: 60_000 });
    expect(fake.requests.filter((line) => line.includes("/desired"))).toHaveLength(1);
  });

  test("flips to what it has built when the control plane goes away at the end", async () => {
    await fake.publish(first, 1);
    armFailpoints((name) => (name === "reconcile:before-recheck" ? fake.stop() : undefined));
    expect(await host.reconcile({ recheckAfterMs: 0 })).toMatchObject({ kind: "flipped", tree: { generation: 1 } });
    await fake.start();
  });

  test("makes a package anew that was removed, and a tree", async () => {
    await fake.publish(first, 1);
    await host.reconcile();
    const [key] = await readdir(host.store.layout.packages);
    await rm(join(host.store.layout.packages, key as string), { recursive: true });
    expect(await host.reconcile()).toMatchObject({ kind: "flipped", packagesBuilt: 1, tree: { generation: 1 } });
    await rm(join(host.store.layout.trees, first.lockfileHash), { recursive: true });
    expect(await currentTree(host.store)).toBeUndefined();
    expect(await host.reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 1 } });
    expect((await verifyStore(host.store)).intact).toBe(true);
  });

  test("fetches a manifest again when the kept one was damaged", async () => {
    await fake.publish(first, 1);
    await host.reconcile();
    const kept = join(host.store.layout.state, "manifests", `${first.lockfileHash}.json`);
    await writeFile(kept, "{}");
    expect(await host.reconcile()).toMatchObject({ kind: "unchanged" });
    expect(await readFile(kept, "utf8")).toBe(new TextDecoder().decode(first.bytes));
  });
});

describe("what cannot be trusted is refused by name, and the old tree serves on", () => {
  beforeEach(async () => {
    await fake.publish(second, 5);
    await host.reconcile();
  });
  const refused = async (code: string) => {
    await expect(host.reconcile()).rejects.toMatchObject({ code });
    expect(await host.served()).toBe(second.lockfileHash);
    expect((await currentTree(host.store))?.generation).toBe(5);
  };

  test("an older generation", async () => {
    await fake.publish(first, 4);
    await refused("E_ROLLBACK");
  });
  test("the same generation with other content", async () => {
    await fake.publish(first, 5);
    await refused("E_EQUIVOCATION");
  });
  test("an expired document", async () => {
    await fake.publish(first, 6, { expiresAt: new Date(Date.now() - 60_000).toISOString() });
    await refused("E_EXPIRED");
  });
  test("one for another store or environment", async () => {
    await fake.publish(first, 6, { storeId: "another-store" });
    await refused("E_WRONG_STORE");
    await fake.publish(first, 6, { environment: "other" as never });
    await refused("E_WRONG_STORE");
  });
  test("one signed by another key", async () => {
    const { desired } = await fake.publish(first, 6);
    fake.offer(await signDesiredState(desired, await generateSigningKey()));
    await refused("E_SIGNATURE");
  });
  test("one that was changed after it was signed", async () => {
    const signed = await fake.publish(first, 6);
    fake.offer({ ...signed, desired: { ...signed.desired, generation: 7 } });
    await refused("E_SIGNATURE");
  });
  test("a manifest that is not the signed one", async () => {
    await fake.publish(first, 6);
    fake.tamper = (path, bytes) =>
      path.includes("manifests") ? new TextEncoder().encode(`${new TextDecoder().decode(bytes)} `) : bytes;
    await refused("E_MANIFEST");
    expect(await readKeptManifest(host.store, first.lockfileHash)).toBeUndefined();
  });
  test("a blob with other bytes, and the next pass mends it", async () => {
    await fake.publish(first, 6);
    fake.tamper = (path, bytes) => {
      if (!path.includes("blobs")) return bytes;
      const copy = Uint8Array.from(bytes);
      copy[copy.length - 9] = (copy[copy.length - 9] ?? 0) ^ 1;
      return copy;
    };
    await expect(host.reconcile()).rejects.toMatchObject({ code: expect.stringMatching(/^E_(INTEGRITY|ARCHIVE)$/) });
    expect(await host.served()).toBe(second.lockfileHash);
    fake.tamper = undefined;
    expect(await host.reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 6 } });
  });
});

test("at first contact, a control plane with another key than the token names is not pinned", async () => {
  const other = await keyIdOf((await generateSigningKey()).publicKey);
  fake.token = formatEnrolmentToken("x".repeat(43), other);
  await expect(host.reconcile()).rejects.toMatchObject({ code: "E_SIGNATURE" });
  expect(await readIdentity(host.store)).toBeUndefined();
});

test("a token with a wrong character is said to be mistyped, without a question to anybody", async () => {
  const at = fake.token.length - 60;
  const wrong = `${fake.token.slice(0, at)}${fake.token[at] === "a" ? "b" : "a"}${fake.token.slice(at + 1)}`;
  await expect(host.reconcile({ token: wrong })).rejects.toMatchObject({ code: "E_TOKEN_MISTYPED" });
  await expect(host.reconcile({ token: "ldr_admin_xyz" })).rejects.toMatchObject({ code: "E_TOKEN_MISTYPED" });
  expect(fake.requests).toEqual([]);
});
