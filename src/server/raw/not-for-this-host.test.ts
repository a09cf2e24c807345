import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { type EnvironmentName, manifestFromHeader, rawRoutes } from "../../contract/index.ts";
import { commitTestGeneration, type TestGeneration } from "../testing/test-generation.ts";
import { openTestServer, type TestHost, type TestServer } from "../testing/test-server.ts";

setDefaultTimeout(60_000);

let server: TestServer;
let host: TestHost;
let own: TestGeneration;
let foreign: TestGeneration;
let statements: string[] = [];
beforeAll(async () => {
  server = await openTestServer();
  server.context.stocker.notice = () => {};
  host = await server.join("here");
  const environment = (await server.admin.environments.create({ name: "other" })).name as EnvironmentName;
  own = await commitTestGeneration(server.context, { content: randomBytes(500) });
  foreign = await commitTestGeneration(server.context, { content: randomBytes(500), environment });
  record();
});
afterAll(() => server[Symbol.asyncDispose]());

/** What a replica asks by the clock, whatever requests there are. */
const byTheClock = /from "(?:hosts|operations|desired_states)"/;

/** Every other statement outside transactions from now on. */
function record(): void {
  const { session } = server.context.db.query as unknown as { session: { prepareQuery(...args: unknown[]): unknown } };
  const prepareQuery = session.prepareQuery.bind(session);
  session.prepareQuery = (query, ...rest) => {
    const { sql } = query as { sql: string };
    if (!byTheClock.test(sql)) statements.push(sql);
    return prepareQuery(query, ...rest);
  };
}

async function ask(path: string, init: RequestInit = {}) {
  statements = [];
  const answer = await server.fetch(path, { token: host, ...init });
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => name !== "x-request-id" && name !== "date"));
  return { status: answer.status, headers, body: Buffer.from(await answer.bytes()).toString("hex"), statements };
}

const missingBlob = "0".repeat(128);
const missingManifest = "0".repeat(64);
const blobRequests: [what: string, init: (key: string) => RequestInit][] = [
  ["whole", () => ({})],
  ["by HEAD", () => ({ method: "HEAD" })],
  ["in part", () => ({ headers: { range: "bytes=0-9" } })],
  ["if it has changed", (key) => ({ headers: { "if-none-match": `"${key}"` } })],
];
test.each(blobRequests)(
  "another environment's blob and one that never was, asked for %s, get the same answer by the same statements",
  async (_, init) => {
    const [theirs, none] = [
      await ask(rawRoutes.blob(foreign.key), init(foreign.key)),
      await ask(rawRoutes.blob(missingBlob as never), init(missingBlob)),
    ];
    expect(theirs.status).toBe(404);
    expect(theirs.statements).toHaveLength(1);
    expect(theirs).toEqual(none);
  },
);

const manifestRequests: [what: string, init: () => RequestInit][] = [
  ["whole", () => ({})],
  ["by HEAD", () => ({ method: "HEAD" })],
  ["as a change of an own one", () => ({ headers: { [manifestFromHeader]: own.lockfileHash } })],
  ["as a change of another environment's", () => ({ headers: { [manifestFromHeader]: foreign.lockfileHash } })],
];
test.each(manifestRequests)(
  "another environment's manifest and one that never was, asked for %s, get the same answer by the same statements",
  async (_, init) => {
    const [theirs, none] = [
      await ask(rawRoutes.manifest(foreign.lockfileHash), init()),
      await ask(rawRoutes.manifest(missingManifest as never), init()),
    ];
    expect(theirs.status).toBe(404);
    expect(theirs.statements.length).toBeGreaterThan(0);
    expect(theirs).toEqual(none);
  },
);

test("as a change of another environment's manifest an own one comes whole, as when that never was", async () => {
  const changeOf = (from: string) => ask(rawRoutes.manifest(own.lockfileHash), { headers: { [manifestFromHeader]: from } });
  const [theirs, none] = [await changeOf(foreign.lockfileHash), await changeOf(missingManifest)];
  expect(theirs.status).toBe(200);
  expect(theirs).toEqual(none);
});

test("in a batch, what is another environment's is left out as what never was, by the same statements", async () => {
  const batch = (key: string) =>
    ask(rawRoutes.blobs, {
      method: "POST",
      body: JSON.stringify({ keys: [own.key, key] }),
      headers: { "content-type": "application/json" },
    });
  const [theirs, none] = [await batch(foreign.key), await batch(missingBlob)];
  expect(theirs.status).toBe(200);
  expect(theirs).toEqual(none);
});

test.each(["..%2f..%2fcontrol%2fadmin-token", "%2e%2e%2f", "%00", `${"A".repeat(128)}`, "a".repeat(127), "a".repeat(5000)])(
  "what is no key at all gets that answer too: %s",
  async (text) => {
    const { statements: _, ...none } = await ask(rawRoutes.blob(missingBlob as never));
    expect(await ask(`/api/blobs/${text}`)).toMatchObject(none);
    const { statements: __, ...noManifest } = await ask(rawRoutes.manifest(missingManifest as never));
    expect(await ask(`/api/manifests/${text}`)).toMatchObject(noManifest);
  },
);
