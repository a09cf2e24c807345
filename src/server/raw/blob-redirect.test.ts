import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { type S3Server, startS3 } from "../../../test/harness/s3.ts";
import { acceptsBlobRedirect, rawRoutes } from "../../contract/index.ts";
import { commitTestGeneration, type TestGeneration } from "../testing/test-generation.ts";
import { openTestServer, type TestHost, type TestServer } from "../testing/test-server.ts";

const content = randomBytes(2 << 20);
let s3: S3Server;
let server: TestServer;
let token: TestHost;
let blob: TestGeneration;

beforeAll(async () => {
  s3 = await startS3();
  server = await openTestServer({ blobStore: "s3", s3: { ...s3, linkSeconds: 60 } });
  token = await server.join("here");
  blob = await commitTestGeneration(server.context, { content });
}, 30_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await s3[Symbol.asyncDispose]();
});

const get = (headers: Record<string, string> = {}) =>
  server.fetch(rawRoutes.blob(blob.key), { token, headers, redirect: "manual" });
const sha512 = (bytes: Uint8Array) => createHash("sha512").update(bytes).digest("hex");

test("who accepts it is sent to the bucket, with a link that needs no token and is kept by nobody", async () => {
  const answer = await get(acceptsBlobRedirect);
  expect([answer.status, answer.headers.get("cache-control")]).toEqual([307, "no-store"]);
  const location = answer.headers.get("location") ?? "";
  expect(location).toStartWith(`${s3.endpoint}/larder/`);
  expect(sha512(await (await fetch(location)).bytes())).toBe(blob.key);
  const rest = await fetch(location, { headers: { range: "bytes=2000000-" } });
  expect([rest.status, Buffer.compare(await rest.bytes(), content.subarray(2_000_000))]).toEqual([206, 0]);
  expect(server.logs.join("")).not.toContain("X-Amz-Signature");
});

test("who does not gets the bytes", async () => {
  const answer = await get();
  expect([answer.status, sha512(await answer.bytes())]).toEqual([200, blob.key]);
});

test("no link is given to a copy that is known to be bad", async () => {
  await writeFile(s3.pathOf(`${blob.key.slice(0, 2)}/${blob.key}`), randomBytes(content.length));
  await expect((async () => (await get()).bytes())()).rejects.toThrow();
  const answer = await get(acceptsBlobRedirect);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ code: "E_BLOB_MISSING" });
  const status = await server.admin.storage.status();
  expect(status.quarantined).toMatchObject([{ blob: blob.key, store: "s3", code: "E_BLOB_CORRUPT", packages: ["x@1.0.0"] }]);
});
