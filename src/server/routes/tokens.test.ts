import { expect, test } from "bun:test";
import { until } from "../../../test/harness/until.ts";
import { openTestServer, refusalOf } from "../testing/test-server.ts";

test("a token's text is shown once: it works, and no list has it", async () => {
  await using server = await openTestServer();
  const { token, text } = await server.admin.tokens.create({ role: "author", subject: "Ada" });
  expect(text).toMatch(/^ldr_author_[A-Za-z0-9_-]{43}$/);
  expect(token).toMatchObject({ role: "author", subject: "Ada" });
  expect((await server.fetch("/api/hosts", { token: text })).status).toBe(200);
  const list = await server.admin.tokens.list();
  expect(list.map(({ subject }) => subject)).toEqual(["admin", "Ada"]);
  expect(JSON.stringify(list)).not.toContain(text);
});

test("a revoked token is refused from the next request on", async () => {
  await using server = await openTestServer();
  const { token, text } = await server.admin.tokens.create({ role: "author", subject: "Ada" });
  for (let i = 0; i < 3; i++) expect((await server.fetch("/api/hosts", { token: text })).status).toBe(200);
  await server.admin.tokens.revoke({ id: token.id });
  expect((await server.fetch("/api/hosts", { token: text })).status).toBe(401);
  expect(await refusalOf(server.admin.tokens.revoke({ id: token.id }))).toMatchObject({ code: "E_NOT_FOUND" });
});

test("the last admin token cannot be revoked", async () => {
  await using server = await openTestServer();
  const [own] = await server.admin.tokens.list();
  expect(await refusalOf(server.admin.tokens.revoke({ id: own?.id ?? "" }))).toMatchObject({ code: "E_CONFLICT" });
  expect(await server.admin.tokens.list()).toHaveLength(1);
  const second = await server.admin.tokens.create({ role: "admin", subject: "second" });
  await server.client(second.text).tokens.revoke({ id: own?.id ?? "" });
  expect((await server.fetch("/api/tokens", { token: server.adminToken })).status).toBe(401);
});

test("a host's token cannot be made by hand", async () => {
  await using server = await openTestServer();
  const make = server.admin.tokens.create({ role: "host" as "author", subject: "x" });
  expect(await refusalOf(make)).toMatchObject({ code: "E_INPUT", details: { field: "role" } });
});

test("the last use is noted, and not with every request", async () => {
  await using server = await openTestServer();
  const lastUse = async () => (await server.admin.tokens.list())[0]?.lastUsedAt;
  const first = await until("the first use is noted", lastUse);
  await server.admin.hosts.list({});
  expect(await lastUse()).toBe(first);
});
