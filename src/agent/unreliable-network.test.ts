import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { buildGeneration } from "../../test/harness/fixture-generation.ts";
import type { BlobKey } from "../contract/index.ts";
import { readAccepted } from "../host/index.ts";
import { type FakeControlPlane, openFakeControlPlane } from "./testing/fake-control-plane.ts";
import { openTestHost, type TestHost } from "./testing/open-test-host.ts";

const shared = { name: "shared", version: "1.0.0" };
const first = buildGeneration([{ name: "a", version: "1.0.0", dependencies: { shared: "1.0.0" } }, shared], ["a"]);
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
  await host[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
});

describe("the network", () => {
  test("unreachable is said so, and is worth a retry", async () => {
    await fake.stop();
    await expect(host.reconcile()).rejects.toMatchObject({ code: "E_SERVER_UNREACHABLE", retryable: true });
    await fake.start();
  });

  test("a revoked host is told so, and serves on", async () => {
    await fake.publish(large, 1);
    await host.reconcile();
    fake.revoke();
    await expect(host.reconcile({ token: undefined })).rejects.toMatchObject({ code: "E_UNAUTHENTICATED", retryable: false });
    expect(await host.served()).toBe(large.lockfileHash);
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

  test("redirects are not followed: the proof stays where it belongs", async () => {
    fake.intercept = (request, response) => {
      if (request.url !== "/api/desired") return false;
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
