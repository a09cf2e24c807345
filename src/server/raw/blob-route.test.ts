import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  applyManifestDelta,
  type EnvironmentName,
  formatManifest,
  manifestDeltaSchema,
  manifestDeltaType,
  manifestFromHeader,
  rawRoutes,
} from "../../contract/index.ts";
import { commitTestGeneration, type TestGeneration } from "../testing/test-generation.ts";
import { openTestServer, type TestHost, type TestServer } from "../testing/test-server.ts";

const small = randomBytes(3000);
const large = randomBytes(5 << 20);
let server: TestServer;
let token: TestHost;
let smallOne: TestGeneration;
let largeOne: TestGeneration;
let elsewhere: TestGeneration;

beforeAll(async () => {
  server = await openTestServer({ blobStore: "fs" });
  token = await server.join("here");
  const other = (await server.admin.environments.create({ name: "other" })).name as EnvironmentName;
  smallOne = await commitTestGeneration(server.context, { content: small });
  largeOne = await commitTestGeneration(server.context, { content: large, name: "large" });
  elsewhere = await commitTestGeneration(server.context, { content: randomBytes(100), name: "secret", environment: other });
});
afterAll(() => server[Symbol.asyncDispose]());

const get = (key: string, init: RequestInit = {}) => server.fetch(rawRoutes.blob(key), { token, ...init });
const sha512 = (bytes: Uint8Array) => createHash("sha512").update(bytes).digest("hex");

test("a blob comes whole, with its length, and may be kept for ever", async () => {
  const response = await get(smallOne.key);
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-length": "3000",
    "content-type": "application/octet-stream",
    "cache-control": "private, max-age=31536000, immutable",
    etag: `"${smallOne.key}"`,
    "accept-ranges": "bytes",
  });
  expect(sha512(await response.bytes())).toBe(smallOne.key);
});

test("a large blob is streamed and arrives whole", async () => {
  expect(sha512(await (await get(largeOne.key)).bytes())).toBe(largeOne.key);
});

test("HEAD says the length of both and sends nothing", async () => {
  for (const [key, bytes] of [[smallOne.key, small] as const, [largeOne.key, large] as const]) {
    const response = await get(key, { method: "HEAD" });
    expect([response.status, response.headers.get("content-length")]).toEqual([200, String(bytes.byteLength)]);
    expect((await response.bytes()).byteLength).toBe(0);
  }
});

test.each([
  ["bytes=0-99", 0, 100],
  ["bytes=2900-", 2900, 3000],
  ["bytes=-1", 2999, 3000],
])("the range %s gives those bytes", async (range, start, end) => {
  const response = await get(smallOne.key, { headers: { range } });
  expect([response.status, response.headers.get("content-range")]).toEqual([206, `bytes ${start}-${end - 1}/3000`]);
  expect(Buffer.compare(await response.bytes(), small.subarray(start, end))).toBe(0);
});

test("an interrupted download goes on where it stopped", async () => {
  const rest = await get(largeOne.key, { headers: { range: "bytes=4000000-", "if-range": `"${largeOne.key}"` } });
  expect(rest.status).toBe(206);
  expect(sha512(Buffer.concat([large.subarray(0, 4_000_000), await rest.bytes()]))).toBe(largeOne.key);
  const whole = await get(largeOne.key, { headers: { range: "bytes=4000000-", "if-range": '"other"' } });
  expect([whole.status, (await whole.bytes()).byteLength]).toEqual([200, large.byteLength]);
});

test("a range behind the end is 416 and says the size", async () => {
  const response = await get(smallOne.key, { headers: { range: "bytes=3000-" } });
  expect([response.status, response.headers.get("content-range")]).toEqual([416, "bytes */3000"]);
});

test("who has it already gets 304", async () => {
  const response = await get(smallOne.key, { headers: { "if-none-match": `W/"x", "${smallOne.key}"` } });
  expect([response.status, (await response.bytes()).byteLength]).toEqual([304, 0]);
});

test("another environment's blob, an unknown one and no key at all are refused alike", async () => {
  const answers = await Promise.all(
    [elsewhere.key, "0".repeat(128), "nonsense", "..%2f..%2fadmin-token", smallOne.key.toUpperCase()].map(async (key) => {
      const response = await get(key);
      return [response.status, await response.text()];
    }),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]?.[0]).toBe(404);
});

test("a manifest is served as its own bytes, and only to its environment", async () => {
  const response = await server.fetch(rawRoutes.manifest(smallOne.lockfileHash), { token });
  expect([response.status, await response.text()]).toEqual([200, smallOne.manifest]);
  const again = await server.fetch(rawRoutes.manifest(smallOne.lockfileHash), {
    token,
    headers: { "if-none-match": response.headers.get("etag") ?? "" },
  });
  expect(again.status).toBe(304);
  for (const hash of [elsewhere.lockfileHash, "f".repeat(64), "x"]) {
    expect((await server.fetch(rawRoutes.manifest(hash), { token })).status).toBe(404);
  }
});

test("what changed between two manifests is served to who may read both, else the whole manifest or nothing", async () => {
  const ask = (to: string, from: string) =>
    server.fetch(rawRoutes.manifest(to), { token, headers: { [manifestFromHeader]: from } });
  const delta = await ask(smallOne.lockfileHash, largeOne.lockfileHash);
  expect(delta.headers.get("content-type")).toBe(manifestDeltaType);
  const made = applyManifestDelta(JSON.parse(largeOne.manifest), manifestDeltaSchema.parse(await delta.json()));
  expect(formatManifest(made, new Map())).toBe(smallOne.manifest);
  for (const from of [elsewhere.lockfileHash, "f".repeat(64), "x"]) {
    expect(await (await ask(smallOne.lockfileHash, from)).text()).toBe(smallOne.manifest);
  }
  expect((await ask(elsewhere.lockfileHash, smallOne.lockfileHash)).status).toBe(404);
});

test("a damaged blob is an error when it is small and a broken connection when it is large, never wrong bytes", async () => {
  const unread = await commitTestGeneration(server.context, { content: randomBytes(3001), name: "unread" });
  for (const { key } of [unread, largeOne]) {
    const path = await fileOf(join(server.directory, "control", "blobs"), key);
    const bytes = await readFile(path);
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    await writeFile(path, bytes);
  }
  const refused = await get(unread.key);
  expect([refused.status, await refused.json()]).toEqual([503, expect.objectContaining({ code: "E_BLOB_CORRUPT" })]);
  const cut = await get(largeOne.key);
  await expect(cut.bytes()).rejects.toThrow();
  expect(server.logs.some((line) => line.includes("a blob could not be sent to its end"))).toBe(true);
});

/** However the driver names it: the file whose path has the key. */
async function fileOf(directory: string, key: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found = entries.find((entry) => entry.isFile() && `${entry.parentPath}/${entry.name}`.replaceAll("/", "").includes(key));
  if (found === undefined) throw new Error(`no file of ${key}`);
  const path = join(found.parentPath, found.name);
  await chmod(path, 0o644);
  return path;
}
