import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildGeneration } from "../../test/harness/fixture-generation.ts";
import { type BlobKey, generateSigningKey, keyIdOf, signDesiredState } from "../contract/index.ts";
import { currentTree, readAccepted, readIdentity, verifyStore } from "../host/index.ts";
import { armFailpoints } from "../lib/index.ts";
import { createReconcileMemory, readCachedManifest } from "./index.ts";
import { type FakeControlPlane, openFakeControlPlane } from "./testing/fake-control-plane.ts";
import { openTestHost, type TestHost } from "./testing/open-test-host.ts";

const shared = { name: "shared", version: "1.0.0" };
const first = buildGeneration([{ name: "a", version: "1.0.0", dependencies: { shared: "1.0.0" } }, shared], ["a"]);
const second = buildGeneration([{ name: "a", version: "2.0.0", dependencies: { shared: "1.0.0" } }, shared], ["a"]);
const noise = randomBytes(3 * 1024 * 1024);
const large = buildGeneration([{ name: "big", version: "1.0.0", files: { "index.js": noise } }], ["big"]);
const largeBytes = [...large.blobs.values()][0] as Uint8Array;
const largeBlob = largeBytes.length;

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
    const result = await host.reconcile();
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
    expect(await readCachedManifest(host.store, first.lockfileHash)).toEqual(first.manifest);
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
    const result = await host.reconcile();
    expect(result).toMatchObject({ kind: "flipped", tree: { generation: 2, lockfileHash: second.lockfileHash } });
  });

  test("flips to what it has built when the control plane goes away at the end", async () => {
    await fake.publish(first, 1);
    armFailpoints((name) => (name === "reconcile:before-recheck" ? fake.stop() : undefined));
    expect(await host.reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 1 } });
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
    expect(await readCachedManifest(host.store, first.lockfileHash)).toBeUndefined();
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
  test("a token of another control plane", async () => {
    const other = await keyIdOf((await generateSigningKey()).publicKey);
    const token = `ldr_host_${"x".repeat(43)}.${other}`;
    await expect(host.reconcile({ token })).rejects.toMatchObject({ code: "E_SIGNATURE" });
    await expect(host.reconcile({ token: "ldr_admin_xyz" })).rejects.toMatchObject({ code: "E_CONFIG" });
  });
});

test("at first contact, a control plane with another key than the token names is not pinned", async () => {
  const other = await keyIdOf((await generateSigningKey()).publicKey);
  await expect(host.reconcile({ token: `ldr_host_${"x".repeat(43)}.${other}` })).rejects.toMatchObject({ code: "E_SIGNATURE" });
  expect(await readIdentity(host.store)).toBeUndefined();
});

describe("the network", () => {
  test("unreachable is said so, and is worth a retry", async () => {
    await fake.stop();
    await expect(host.reconcile()).rejects.toMatchObject({ code: "E_SERVER_UNREACHABLE", retryable: true });
    await fake.start();
  });

  test("a revoked token is said so", async () => {
    fake.token = `${fake.token}0`;
    const token = fake.token.slice(0, -1);
    const { createControlPlaneClient } = await import("./index.ts");
    const controlPlane = createControlPlaneClient({ server: fake.url, token });
    await expect(host.reconcile({ token, controlPlane })).rejects.toMatchObject({ code: "E_UNAUTHENTICATED", retryable: false });
  });

  test("a blob whose connection is cut is resumed where it ended", async () => {
    await fake.publish(large, 1);
    const ranges: (string | undefined)[] = [];
    fake.intercept = (request, response) => {
      if (!request.url?.includes("/blobs/")) return false;
      ranges.push(request.headers.range);
      const bytes = large.blobs.get(request.url.split("/").at(-1) as BlobKey) as Uint8Array;
      const start = Number(/\d+/.exec(request.headers.range ?? "0")?.[0]);
      const range = { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
      response.writeHead(start > 0 ? 206 : 200, { "content-length": bytes.length - start, ...(start > 0 && range) });
      const end = start + 900_000;
      if (end >= bytes.length) response.end(bytes.subarray(start));
      else response.write(bytes.subarray(start, end), () => setTimeout(() => response.destroy(), 30));
      return true;
    };
    expect(await host.reconcile()).toMatchObject({ kind: "flipped", pulledBytes: largeBlob });
    expect(ranges.length).toBeGreaterThan(3);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.slice(1).every((range) => Number(/\d+/.exec(range ?? "")?.[0]) > 0)).toBe(true);
  }, 20_000);

  test("a blob that never comes whole is given up after some tries, naming its package", async () => {
    await fake.publish(large, 1);
    fake.intercept = (request, response) => {
      if (!request.url?.includes("/blobs/")) return false;
      response.writeHead(200, { "content-length": 1_000_000 }).write("x", () => setTimeout(() => response.destroy(), 5));
      return true;
    };
    await expect(host.reconcile()).rejects.toMatchObject({
      code: "E_SERVER_UNREACHABLE",
      retryable: true,
      message: expect.stringContaining("big@1.0.0"),
    });
    expect(await readdir(host.store.layout.incoming)).toEqual([]);
  }, 20_000);

  test("a server that ignores ranges is coped with", async () => {
    await fake.publish(large, 1);
    let cuts = 1;
    fake.intercept = (request, response) => {
      if (!request.url?.includes("/blobs/")) return false;
      const bytes = large.blobs.get(request.url.split("/").at(-1) as BlobKey) as Uint8Array;
      response.writeHead(200, { "content-length": bytes.length });
      if (cuts-- > 0) response.write(bytes.subarray(0, 500_000), () => setTimeout(() => response.destroy(), 30));
      else response.end(bytes);
      return true;
    };
    expect(await host.reconcile()).toMatchObject({ kind: "flipped", pulledBytes: largeBlob });
  });

  test("a blob that the control plane lost is named", async () => {
    await fake.publish(first, 1);
    fake.intercept = (request, response) => {
      if (!request.url?.includes("/blobs/")) return false;
      response.writeHead(404).end();
      return true;
    };
    await expect(host.reconcile()).rejects.toMatchObject({
      code: "E_BLOB_MISSING",
      message: expect.stringMatching(/(a|shared)@1\.0\.0/),
    });
  });

  test("answers that are too large are cut", async () => {
    fake.intercept = (_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(`{"hostId":"${"x".repeat(200_000)}"}`);
      return true;
    };
    await expect(host.reconcile()).rejects.toMatchObject({ code: "E_TOO_LARGE" });
  });

  test("redirects are not followed: the token stays where it belongs", async () => {
    fake.intercept = (request, response) => {
      if (request.url !== "/api/hosts/self") return false;
      response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
      return true;
    };
    await expect(host.reconcile()).rejects.toMatchObject({ code: "E_CONFIG" });
  });

  test("a silent connection counts as cut", async () => {
    await fake.publish(large, 1);
    let hung = false;
    fake.intercept = (request, response) => {
      if (hung || !request.url?.includes("/blobs/")) return false;
      hung = true;
      response.writeHead(200, { "content-length": largeBlob }).write(largeBytes.subarray(0, 10));
      return true;
    };
    expect(await host.reconcile()).toMatchObject({ kind: "flipped" });
  });
});

test("a pass that was cancelled stops at once and leaves nothing in incoming/", async () => {
  await fake.publish(large, 1);
  const stop = new AbortController();
  fake.intercept = (request, response) => {
    if (!request.url?.includes("/blobs/")) return false;
    response.writeHead(200, { "content-length": largeBlob }).write("x");
    setTimeout(() => stop.abort(), 50);
    return true;
  };
  const started = performance.now();
  await expect(host.reconcile({ signal: stop.signal })).rejects.toThrow();
  expect(performance.now() - started).toBeLessThan(900);
  expect(await readdir(host.store.layout.incoming)).toEqual([]);
  expect((await readAccepted(host.store))?.generation).toBe(1);
});
