import { afterEach, beforeEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buildGeneration } from "../../test/harness/fixture-generation.ts";
import { createControlPlaneClient } from "./index.ts";
import { type FakeControlPlane, openFakeControlPlane } from "./testing/fake-control-plane.ts";
import { openTestHost, type TestHost } from "./testing/open-test-host.ts";

const generation = buildGeneration([{ name: "big", version: "1.0.0", files: { "index.js": randomBytes(3 << 20) } }], ["big"]);
const [key, bytes] = [...generation.blobs][0]!;

let fake: FakeControlPlane;
let host: TestHost;
let bucket: Server;
let atBucket: IncomingHttpHeaders[];
let atServer: IncomingHttpHeaders[];
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  fake = await openFakeControlPlane();
  host = await openTestHost(fake);
  [atBucket, atServer] = [[], []];
  bucket = createServer((request, response) => {
    atBucket.push(request.headers);
    answer(response);
  });
  await new Promise<void>((resolve) => bucket.listen(0, "127.0.0.1", resolve));
  const { port } = bucket.address() as AddressInfo;
  fake.intercept = (request, response) => {
    if (!request.url?.endsWith(`/blobs/${key}`)) return false;
    atServer.push(request.headers);
    if (request.headers["larder-blob-redirect"] !== "follow") return false;
    response.writeHead(307, { location: `http://localhost:${port}/blob?signature=x` }).end();
    return true;
  };
  await fake.publish(generation, 1);
});
afterEach(async () => {
  bucket.close();
  bucket.closeAllConnections();
  await host[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
});

test("a blob is fetched from where the server sends a host, which does not prove itself there", async () => {
  answer = (response) => response.writeHead(200, { "content-length": bytes.length }).end(bytes);
  expect(await host.reconcile()).toMatchObject({ kind: "flipped", pulledBytes: bytes.length });
  expect(atServer).toHaveLength(1);
  expect(atServer[0]?.authorization).toStartWith("LarderHost ");
  expect(atBucket).toHaveLength(1);
  expect(atBucket[0]?.authorization).toBeUndefined();
});

test.each<[string, (response: ServerResponse) => void]>([
  ["is gone there", (response) => response.writeHead(404).end()],
  ["is refused there", (response) => response.writeHead(403).end("expired")],
  [
    "is cut there",
    (response) =>
      response
        .writeHead(200, { "content-length": bytes.length })
        .write(bytes.subarray(0, 1 << 20), () => setTimeout(() => response.destroy(), 30)),
  ],
  ["is sent elsewhere again", (response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end()],
])("a blob that %s comes through the server", async (_, broken) => {
  answer = broken;
  expect(await host.reconcile()).toMatchObject({ kind: "flipped" });
  expect(atBucket).toHaveLength(1);
  expect(atServer.at(-1)?.["larder-blob-redirect"]).toBeUndefined();
  if (atServer.at(-1)?.range !== undefined) expect(atServer.at(-1)?.range).not.toBe("bytes=0-");
});

test("wrong bytes from there are refused, and the next try goes through the server", async () => {
  answer = (response) => response.writeHead(200, { "content-length": bytes.length }).end(randomBytes(bytes.length));
  const controlPlane = createControlPlaneClient({ server: fake.url, store: host.store });
  await expect(host.reconcile({ controlPlane })).rejects.toMatchObject({
    code: expect.stringMatching(/^E_(INTEGRITY|ARCHIVE)$/),
  });
  expect(await host.reconcile({ controlPlane })).toMatchObject({ kind: "flipped" });
  expect(atBucket).toHaveLength(1);
});
