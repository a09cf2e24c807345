import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { startPostgres } from "../../../test/harness/postgres.ts";
import { until } from "../../../test/harness/until.ts";
import type { Role, Session } from "../../contract/index.ts";
import { createTokenText } from "../auth/token-text.ts";
import { openTestServer, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const json = { "content-type": "application/json" };
const ownPage = (on: TestServer) => ({ ...json, origin: on.url, "sec-fetch-site": "same-origin" });

async function signIn(token: string, { on = server, headers = {} as Record<string, string> } = {}) {
  const response = await on.fetch("/api/session", {
    method: "POST",
    body: JSON.stringify({ token }),
    headers: { ...ownPage(on), ...headers },
  });
  const setCookie = response.headers.get("set-cookie") ?? "";
  return { response, setCookie, cookie: setCookie.split(";")[0] ?? "" };
}

const newToken = (role: Exclude<Role, "host">, subject: string = role) => server.admin.tokens.create({ role, subject });

const whoami = async (cookie: string, on = server) => {
  const response = await on.fetch("/api/session", { headers: { cookie } });
  return { status: response.status, body: (await response.json()) as Session };
};

/** A change that any page of ours could make; what it is refused with is what matters. */
const createEnvironment = (headers: Record<string, string>, on = server) =>
  on.fetch("/api/environments", {
    method: "POST",
    body: JSON.stringify({ name: `made-${crypto.randomUUID()}` }),
    headers: { ...json, ...headers },
  });

test("a token is exchanged for a cookie that scripts cannot read and other sites cannot use", async () => {
  const { token, text } = await newToken("viewer", "Ada");
  const { response, setCookie, cookie } = await signIn(text);
  expect(response.status).toBe(201);
  expect(await response.json()).toMatchObject({ role: "viewer", subject: "Ada", tokenId: token.id });
  expect(setCookie).toMatch(/^larder_\w+=ldr_session_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
  expect(cookie).not.toContain(text);
  expect((await whoami(cookie)).body).toMatchObject({ role: "viewer", subject: "Ada", tokenId: token.id });
});

test("over TLS the cookie is Secure and bound to this very host", async () => {
  const { host } = new URL(server.url);
  const { setCookie, cookie } = await signIn(server.adminToken, { headers: { origin: `https://${host}` } });
  expect(setCookie).toMatch(/^__Host-larder_\w+=.*; Path=\/; HttpOnly; SameSite=Strict; Secure; Max-Age=43200$/);
  expect((await whoami(cookie)).status).toBe(200);
});

test("who comes with the token itself is told who it is, and has no session to end", async () => {
  const session = await server.admin.session.get();
  expect(session).toMatchObject({ role: "admin" });
  expect(session.expiresAt).toBeUndefined();
  expect(await server.admin.session.end()).toEqual({ ended: false });
});

test("an enrolment token and one that is unknown do not sign in", async () => {
  const host = (await server.admin.hosts.enrol({ environment: "default" })).token;
  expect((await signIn(host)).response.status).toBe(401);
  expect((await signIn("ldr_admin_not-a-token-that-exists")).response.status).toBe(401);
});

test.each([
  ["another site's page", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
  ["a sibling's page", { "sec-fetch-site": "same-site" }],
  ["a form", { "content-type": "application/x-www-form-urlencoded" }],
])("%s cannot sign anybody in", async (_what, headers) => {
  const { response, setCookie } = await signIn(server.adminToken, { headers });
  expect([response.status, setCookie]).toEqual([403, ""]);
});

describe("what came with a cookie", () => {
  let cookie: string;
  beforeEach(async () => {
    ({ cookie } = await signIn(server.adminToken));
  });

  test("changes things from our own pages", async () => {
    expect((await createEnvironment({ cookie, origin: server.url })).status).toBe(201);
    expect((await createEnvironment({ cookie, "sec-fetch-site": "same-origin" })).status).toBe(201);
  });

  const refused: [string, Record<string, string>][] = [
    ["neither Sec-Fetch-Site nor Origin", {}],
    ["no page", { "sec-fetch-site": "none" }],
    ["another site", { "sec-fetch-site": "cross-site" }],
    ["a sibling site", { "sec-fetch-site": "same-site" }],
    ["a foreign origin", { origin: "https://evil.example" }],
    ["an opaque origin", { origin: "null" }],
    ["a foreign origin that claims our site", { origin: "https://evil.example", "sec-fetch-site": "same-origin" }],
    ["a form on our page", { origin: "SELF", "content-type": "text/plain" }],
  ];
  test.each(refused)("changes nothing from %s", async (_what, headers) => {
    const before = await server.admin.environments.list();
    const { origin, ...rest } = headers;
    const sent = { ...rest, ...(origin ? { origin: origin === "SELF" ? server.url : origin } : {}) };
    expect((await createEnvironment({ cookie, ...sent })).status).toBe(403);
    expect(await server.admin.environments.list()).toEqual(before);
  });

  test("is not read by other sites either", async () => {
    for (const site of ["cross-site", "same-site"]) {
      const response = await server.fetch("/api/tokens", { headers: { cookie, "sec-fetch-site": site } });
      expect(response.status).toBe(403);
    }
    expect((await server.fetch("/api/tokens", { headers: { cookie, "sec-fetch-site": "none" } })).status).toBe(200);
  });
});

test("a session has its token's role and no more", async () => {
  const { cookie } = await signIn((await newToken("author")).text);
  expect((await createEnvironment({ cookie, origin: server.url })).status).toBe(403);
  expect((await server.fetch("/api/tokens", { headers: { cookie } })).status).toBe(403);
  expect((await server.fetch("/api/environments", { headers: { cookie } })).status).toBe(200);
});

test("a session that was fixed beforehand is worth nothing: each sign-in makes a new one and ends the one that came", async () => {
  const planted = `larder_planted=ldr_session_${"A".repeat(43)}`;
  const first = await signIn(server.adminToken, { headers: { cookie: planted } });
  expect(first.cookie).not.toContain("AAAA");
  const name = first.cookie.split("=")[0];
  expect((await whoami(`${name}=ldr_session_${"A".repeat(43)}`)).status).toBe(401);
  const second = await signIn(server.adminToken, { headers: { cookie: first.cookie } });
  expect(second.cookie).not.toBe(first.cookie);
  expect([(await whoami(first.cookie)).status, (await whoami(second.cookie)).status]).toEqual([401, 200]);
});

test("of two cookies with one name neither counts", async () => {
  const { cookie } = await signIn(server.adminToken);
  const other = await signIn((await newToken("viewer")).text);
  expect((await whoami(`${cookie}; ${other.cookie}`)).status).toBe(401);
});

test("a token is no cookie, and a cookie is no token", async () => {
  const { cookie } = await signIn(server.adminToken);
  const [name, text] = cookie.split("=");
  expect((await whoami(cookie)).status).toBe(200);
  expect((await server.fetch("/api/tokens", { token: text })).status).toBe(401);
  expect((await whoami(`${name}=${server.adminToken}`)).status).toBe(401);
});

test("signing out ends the session at once, in all tabs, and clears the cookie", async () => {
  const { cookie } = await signIn(server.adminToken);
  const response = await server.fetch("/api/session", { method: "DELETE", headers: { cookie, origin: server.url } });
  expect(await response.json()).toEqual({ ended: true });
  for (const cleared of response.headers.getSetCookie()) expect(cleared).toMatch(/=; .*HttpOnly.*Max-Age=0$/);
  expect(response.headers.getSetCookie()).toHaveLength(2);
  expect((await whoami(cookie)).status).toBe(401);
});

test("revoking the token ends its sessions at once, and their event streams", async () => {
  const { token, text } = await newToken("viewer");
  const { cookie } = await signIn(text);
  const events = await server.fetch("/api/events", { headers: { cookie } });
  expect(events.status).toBe(200);
  await server.admin.tokens.revoke({ id: token.id });
  expect((await whoami(cookie)).status).toBe(401);
  await events.text();
});

test("a session ends by itself", async () => {
  await using brief = await openTestServer({ sessionMs: 300 });
  const { cookie, setCookie } = await signIn(brief.adminToken, { on: brief });
  expect(setCookie).toContain("Max-Age=0");
  expect((await whoami(cookie, brief)).status).toBe(200);
  await Bun.sleep(350);
  expect((await whoami(cookie, brief)).status).toBe(401);
});

test("on PostgreSQL a session that one replica made is good at every other, and ends at all of them when it ends at one", async () => {
  await using postgres = await startPostgres();
  const database = { url: await postgres.createDatabase() };
  const shared = { database, secretKey: randomBytes(32).toString("hex"), adminToken: createTokenText("admin") };
  await using one = await openTestServer(shared);
  await using two = await openTestServer(shared);
  const replicas = [one, two];
  const statuses = (cookie: string) => Promise.all(replicas.map(async (on) => (await whoami(cookie, on)).status));
  const { token, text } = await one.admin.tokens.create({ role: "admin", subject: "Ada" });
  const [first, second] = [await signIn(text, { on: one }), await signIn(text, { on: two })];
  for (const { cookie } of [first, second]) {
    expect(await statuses(cookie)).toEqual([200, 200]);
    for (const on of replicas) expect((await createEnvironment({ cookie, origin: on.url }, on)).status).toBe(201);
  }
  expect((await whoami(first.cookie, two)).body).toMatchObject({ subject: "Ada", tokenId: token.id });

  const ended = await two.fetch("/api/session", { method: "DELETE", headers: { cookie: first.cookie, origin: two.url } });
  expect(await ended.json()).toEqual({ ended: true });
  expect((await whoami(first.cookie, two)).status).toBe(401);
  await until("the first replica has heard of it", async () => (await whoami(first.cookie, one)).status === 401);
  expect(await statuses(second.cookie)).toEqual([200, 200]);

  await one.admin.tokens.revoke({ id: token.id });
  expect((await whoami(second.cookie, one)).status).toBe(401);
  await until("the second replica has heard of it", async () => (await whoami(second.cookie, two)).status === 401);
});

test("the newest hundred sessions of a token last", async () => {
  const { text } = await newToken("viewer", "careless");
  const first = await signIn(text);
  for (let i = 0; i < 99; i++) await signIn(text);
  expect((await whoami(first.cookie)).status).toBe(200);
  const last = await signIn(text);
  await Bun.sleep(1100);
  expect([(await whoami(first.cookie)).status, (await whoami(last.cookie)).status]).toEqual([401, 200]);
});
