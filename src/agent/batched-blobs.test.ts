import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { buildGeneration } from "../../test/harness/fixture-generation.ts";
import { blobFrameHead, rawRoutes } from "../contract/index.ts";
import { verifyStore } from "../host/index.ts";
import { type FakeControlPlane, openFakeControlPlane } from "./testing/fake-control-plane.ts";
import { openTestHost, type TestHost } from "./testing/open-test-host.ts";

const names = Array.from({ length: 20 }, (_, index) => `p${index}`);
const many = buildGeneration(
  names.map((name) => ({ name, version: "1.0.0", files: { "index.js": name.repeat(2000) } })),
  names,
);
const blobs = [...many.blobs];

let fake: FakeControlPlane;
let host: TestHost;
let batches: number;
beforeEach(async () => {
  fake = await openFakeControlPlane();
  host = await openTestHost(fake);
  batches = 0;
  await fake.publish(many, 1);
});
afterEach(async () => {
  await host[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
});

/** Answers the nth batch with these chunks, and cuts the connection unless told to end it. */
function answerBatches(answer: (batch: number) => { chunks: Uint8Array[]; cut?: boolean }): void {
  fake.intercept = (request, response) => {
    if (request.url !== rawRoutes.blobs) return false;
    const { chunks, cut = false } = answer(++batches);
    response.writeHead(200, { "content-type": "application/octet-stream" });
    response.write(Buffer.concat(chunks), () => (cut ? setTimeout(() => response.destroy(), 20) : response.end()));
    return true;
  };
}

const framesOf = (some: typeof blobs) => some.flatMap(([key, bytes]) => [blobFrameHead(key, bytes.length), bytes]);
const singles = () => fake.requests.filter((line) => line.startsWith("GET /api/blobs/")).length;

describe("blobs in a batch", () => {
  test("make a tree with one request for all of them", async () => {
    answerBatches(() => ({ chunks: [...framesOf(blobs), blobFrameHead()] }));
    expect(await host.reconcile()).toMatchObject({ kind: "flipped", pulledBlobs: 20 });
    expect([batches, singles()]).toEqual([1, 0]);
    expect((await verifyStore(host.store)).problems).toEqual([]);
  });

  test("that were left out are asked for one by one", async () => {
    answerBatches(() => ({ chunks: [...framesOf(blobs.slice(3)), blobFrameHead()] }));
    expect(await host.reconcile()).toMatchObject({ pulledBlobs: 20 });
    expect([batches, singles()]).toEqual([1, 3]);
  });

  test("go on after a cut with what has not come", async () => {
    answerBatches((batch) =>
      batch === 1
        ? { chunks: [...framesOf(blobs.slice(0, 12)), blobFrameHead(blobs[12]?.[0], 10_000)], cut: true }
        : { chunks: [...framesOf(blobs.slice(12)), blobFrameHead()] },
    );
    expect(await host.reconcile()).toMatchObject({ pulledBlobs: 20 });
    expect([batches, singles()]).toEqual([2, 0]);
  });

  test("that are cut again and again are asked for one by one in the end", async () => {
    answerBatches(() => ({ chunks: [new Uint8Array(3)], cut: true }));
    expect(await host.reconcile()).toMatchObject({ pulledBlobs: 20 });
    expect([batches, singles()]).toEqual([5, 20]);
  });

  test("are no matter to a control plane that knows no batches", async () => {
    expect(await host.reconcile()).toMatchObject({ pulledBlobs: 20 });
    expect(singles()).toBe(20);
  });

  test("with other bytes are refused, and nothing half-made stays (I3)", async () => {
    const [key, bytes] = blobs[5] as (typeof blobs)[number];
    const other = Uint8Array.from(bytes);
    other[30] = (other[30] ?? 0) ^ 1;
    answerBatches(() => ({ chunks: [...framesOf(blobs.slice(0, 5)), blobFrameHead(key, other.length), other, blobFrameHead()] }));
    await expect(host.reconcile()).rejects.toMatchObject({ code: "E_INTEGRITY" });
    expect(await readdir(host.store.layout.incoming)).toEqual([]);
    expect(await host.served()).toBeUndefined();
  });

  test("that nobody asked for end the batch", async () => {
    const stranger = blobFrameHead("ab".repeat(64) as never, 4);
    answerBatches(() => ({ chunks: [stranger, new Uint8Array(4), ...framesOf(blobs)] }));
    expect(await host.reconcile()).toMatchObject({ pulledBlobs: 20 });
    expect(singles()).toBe(20);
  });
});
