import { expect, test } from "bun:test";
import { assertDesiredStateSignature, rawRoutes, signedDesiredStateSchema } from "../../contract/index.ts";
import { getDesiredState } from "../../db/index.ts";
import { commitTestGeneration } from "../testing/test-generation.ts";
import { openTestServer, type TestServer } from "../testing/test-server.ts";

const content = (text: string) => Buffer.from(text);

async function withHost(server: TestServer) {
  const token = await server.join("host");
  return (etag?: string) => server.fetch(rawRoutes.desired, { token, headers: etag ? { "if-none-match": etag } : {} });
}

test("before the first generation it is 404 E_NOT_READY, and the first one is seen at once", async () => {
  await using server = await openTestServer();
  const desired = await withHost(server);
  const none = await desired();
  expect([none.status, await none.json()]).toEqual([404, expect.objectContaining({ code: "E_NOT_READY" })]);
  const { generation, lockfileHash } = await commitTestGeneration(server.context, { content: content("1") });
  await Bun.sleep(20);
  const first = await desired();
  const signed = signedDesiredStateSchema.parse(await first.json());
  expect(signed.desired).toMatchObject({ environment: "default", generation: generation.number, lockfileHash });
  await assertDesiredStateSignature(signed, server.context.signer.publicKey);
});

test("nothing new is 304 without a question to the database, and a new generation is 200 at once", async () => {
  await using server = await openTestServer();
  const desired = await withHost(server);
  await commitTestGeneration(server.context, { content: content("1") });
  await Bun.sleep(20);
  const etag = (await desired()).headers.get("etag") ?? "";
  const query = server.context.db.query as { select: (...args: unknown[]) => unknown };
  const select = query.select;
  let questions = 0;
  query.select = (...args) => {
    questions++;
    return select.apply(query, args);
  };
  for (let i = 0; i < 20; i++) expect((await desired(etag)).status).toBe(304);
  expect(questions).toBeLessThan(6);
  await commitTestGeneration(server.context, { content: content("2") });
  await Bun.sleep(20);
  expect((await desired(etag)).status).toBe(200);
});

test("a lost notice costs a second at most", async () => {
  await using server = await openTestServer();
  const desired = await withHost(server);
  await commitTestGeneration(server.context, { content: content("1") });
  await Bun.sleep(20);
  const etag = (await desired()).headers.get("etag") ?? "";
  const { announce } = server.context;
  const { context } = server;
  await commitTestGeneration({ ...context, announce, db: { ...context.db, notify: async () => {} } }, { content: content("2") });
  await Bun.sleep(1050);
  expect((await desired(etag)).status).toBe(200);
});

test("a new generation whose notice was lost is announced to event streams all the same", async () => {
  await using server = await openTestServer();
  const token = await server.join("host");
  await commitTestGeneration(server.context, { content: content("1") });
  const stream = await server.fetch(rawRoutes.events, { token });
  const { context } = server;
  const { generation } = await commitTestGeneration(
    { ...context, announce: () => {}, db: { ...context.db, notify: async () => {} } },
    { content: content("2") },
  );
  let text = "";
  for await (const chunk of stream.body ?? []) {
    text += new TextDecoder().decode(chunk);
    if (text.includes(`"generation":${generation.number}`)) break;
  }
  expect(text).toContain('"type":"desired"');
});

test("a document older than a day is signed again, under the same generation, and kept", async () => {
  let now = Date.now();
  await using server = await openTestServer({ clock: { now: () => now } });
  const desired = await withHost(server);
  await commitTestGeneration(server.context, { content: content("1") });
  await Bun.sleep(20);
  const before = await desired();
  const old = signedDesiredStateSchema.parse(await before.json());
  now += 25 * 3_600_000;
  server.context.announce({ type: "desired", environment: old.desired.environment, generation: 1 });
  const after = await desired(before.headers.get("etag") ?? "");
  const renewed = signedDesiredStateSchema.parse(await after.json());
  expect(renewed.desired).toMatchObject({ generation: old.desired.generation, manifestDigest: old.desired.manifestDigest });
  expect(Date.parse(renewed.desired.expiresAt) - Date.parse(old.desired.expiresAt)).toBe(25 * 3_600_000);
  expect(await getDesiredState(server.context.db.query, old.desired.environment)).toEqual(renewed);
});
