import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { chmod, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type EnvironmentName, largestBatchedBlob, rawRoutes, readBlobFrames } from "../../contract/index.ts";
import { commitTestGeneration } from "../testing/test-generation.ts";
import { openTestServer, type TestHost, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
let token: TestHost;
const keys: Record<string, string> = {};
const contents: Record<string, Buffer> = { small: randomBytes(3000), middle: randomBytes(700_000), empty: Buffer.alloc(0) };

beforeAll(async () => {
  server = await openTestServer({ blobStore: "fs" });
  token = await server.join("here");
  for (const [name, content] of Object.entries(contents)) {
    keys[name] = (await commitTestGeneration(server.context, { content, name })).key;
  }
  keys.large = (await commitTestGeneration(server.context, { content: randomBytes(largestBatchedBlob + 1), name: "large" })).key;
  keys.damaged = (await commitTestGeneration(server.context, { content: randomBytes(5000), name: "damaged" })).key;
  const environment = (await server.admin.environments.create({ name: "other" })).name as EnvironmentName;
  keys.foreign = (await commitTestGeneration(server.context, { content: randomBytes(9), name: "foreign", environment })).key;
});
afterAll(() => server[Symbol.asyncDispose]());

const ask = (body: unknown) =>
  server.fetch(rawRoutes.blobs, {
    method: "POST",
    token,
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });

async function batch(...names: string[]) {
  const response = await ask({ keys: names.map((name) => keys[name]) });
  expect(response.status).toBe(200);
  const found: Record<string, Buffer> = {};
  for await (const { key, content } of readBlobFrames(response.body as ReadableStream<Uint8Array>)) {
    const name = Object.keys(keys).find((each) => keys[each] === key) ?? key;
    found[name] = Buffer.from(content);
  }
  return found;
}

test("blobs come in the order asked for, each once", async () => {
  const found = await batch("middle", "small", "empty", "middle");
  expect(Object.keys(found)).toEqual(["middle", "small", "empty"]);
  expect(found).toEqual(contents);
});

test("what is another environment's, too large, or not there is left out", async () => {
  expect(Object.keys(await batch("foreign", "large", "small"))).toEqual(["small"]);
  expect(await batch("foreign")).toEqual({});
});

test("a damaged blob is left out, and not sent (I3)", async () => {
  const blobs = join(server.directory, "control/blobs");
  const file = (await readdir(blobs, { recursive: true })).find((path) => path.endsWith(keys.damaged as string)) as string;
  await chmod(join(blobs, file), 0o600);
  await writeFile(join(blobs, file), randomBytes(5000));
  expect(Object.keys(await batch("damaged", "small"))).toEqual(["small"]);
});

test("a body that does not name blobs is refused", async () => {
  for (const body of [{}, { keys: [] }, { keys: ["x"] }, { keys: Array.from({ length: 2001 }, () => keys.small) }]) {
    const response = await ask(body);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, "E_INPUT"]);
  }
});
