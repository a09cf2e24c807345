import { afterAll, beforeAll, expect, test } from "bun:test";
import { openTestServer, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const json = { "content-type": "application/json" };

async function send(method: string, path: string, init: RequestInit = {}) {
  const response = await server.fetch(path, { method, token: server.adminToken, ...init });
  return { status: response.status, body: (await response.json()) as Record<string, unknown>, headers: response.headers };
}

test("an unknown route is a 404 with our body", async () => {
  const { status, body } = await send("GET", "/api/nothing-here");
  expect([status, body.code]).toEqual([404, "E_NOT_FOUND"]);
  expect((await server.fetch("/")).status).toBe(404);
});

test("a known path with another method says which it takes", async () => {
  const { status, body, headers } = await send("POST", "/api/storage");
  expect([status, body.code, body.hint]).toEqual([405, "E_METHOD_NOT_ALLOWED", "This path takes GET."]);
  expect(headers.get("allow")).toBe("GET");
  const packages = await send("PATCH", "/api/environments/default/packages");
  expect([packages.status, packages.headers.get("allow")]).toEqual([405, "GET, POST"]);
});

test("an input of the wrong shape is E_INPUT and names the field", async () => {
  const { status, body } = await send("POST", "/api/environments/default/packages", {
    body: JSON.stringify({ packages: [{ name: "fine" }, { name: "ok", version: "^1.0.0" }] }),
    headers: json,
  });
  expect(status).toBe(400);
  expect(body).toMatchObject({
    code: "E_INPUT",
    message: "packages.1.version: not an exact version.",
    details: { field: "packages.1.version" },
  });
});

test("a path parameter of the wrong shape is E_INPUT and names it", async () => {
  const { status, body } = await send("GET", "/api/environments/NOT_OK/status");
  expect([status, body.code, body.details]).toEqual([400, "E_INPUT", { field: "environment" }]);
});

test.each(["{", "[]", '"text"', "null", "\u0000"])("the body %p is E_INPUT", async (body) => {
  const answer = await send("POST", "/api/environments", { body, headers: json });
  expect([answer.status, answer.body.code]).toEqual([400, "E_INPUT"]);
});

test("members that JavaScript would take for a prototype mean nothing", async () => {
  const body = '{"name":"proto","__proto__":{"name":"other"},"constructor":{"prototype":{"polluted":1}}}';
  const answer = await send("POST", "/api/environments", { body, headers: json });
  expect([answer.status, answer.body.name]).toEqual([201, "proto"]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("an environment that does not exist is a 404 that names it, on every route in it", async () => {
  const calls: [string, string, string?][] = [
    ["GET", "status"],
    ["GET", "packages"],
    ["POST", "packages", '{"packages":[{"name":"x"}]}'],
    ["PATCH", "packages/x", '{"enabled":true}'],
    ["DELETE", "packages/x"],
    ["POST", "installs"],
    ["GET", "generations"],
    ["GET", "generations/1/diff/2"],
    ["POST", "generations/1/rollback"],
  ];
  for (const [method, rest, body] of calls) {
    const answer = await send(method, `/api/environments/nowhere/${rest}`, body ? { body, headers: json } : {});
    expect([rest, answer.status, answer.body.code]).toEqual([rest, 404, "E_NOT_FOUND"]);
    expect(answer.body.message).toContain("nowhere");
  }
});

test("a body over 1 MiB is E_TOO_LARGE, whether it declares its length or not", async () => {
  const large = JSON.stringify({ name: "a".repeat(1 << 20) });
  const declared = await send("POST", "/api/environments", { body: large, headers: json });
  expect([declared.status, declared.body.code]).toEqual([413, "E_TOO_LARGE"]);
  const stream = new Blob([large]).stream();
  const chunked = await send("POST", "/api/environments", { body: stream, headers: json });
  expect([chunked.status, chunked.body.code]).toEqual([413, "E_TOO_LARGE"]);
});

test("trouble inside is E_INTERNAL, says where to look and nothing of the inside, and is logged with its cause", async () => {
  await using broken = await openTestServer();
  await broken.admin.hosts.list({});
  const query = broken.context.db.query as { select: unknown };
  query.select = () => {
    throw new Error("secret table hosts_internal exploded");
  };
  const response = await broken.fetch("/api/hosts", { token: broken.adminToken });
  const text = await response.text();
  const requestId = response.headers.get("x-request-id") ?? "";
  expect([response.status, JSON.parse(text).code]).toEqual([500, "E_INTERNAL"]);
  expect(text).not.toContain("exploded");
  expect(text).toContain(requestId);
  const line = broken.logs.find((entry) => entry.includes(requestId)) ?? "";
  expect(line).toContain("exploded");
  expect(JSON.parse(line)).toMatchObject({ level: 50, status: 500, route: "hosts.list", method: "GET" });
});

test("every answer forbids sniffing and none allows another origin", async () => {
  for (const path of ["/healthz", "/api/openapi.json", "/api/hosts", "/nothing"]) {
    const { headers } = await server.fetch(path, { token: server.adminToken, headers: { origin: "https://elsewhere.example" } });
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  }
});

const refusedFromBrowsers: [string, HeadersInit][] = [
  ["a cross-site fetch", { ...json, "sec-fetch-site": "cross-site" }],
  ["a sibling site", { ...json, "sec-fetch-site": "same-site" }],
  ["a foreign origin", { ...json, origin: "https://evil.example" }],
  ["an opaque origin", { ...json, origin: "null" }],
  ["a form", { "content-type": "application/x-www-form-urlencoded" }],
  ["JSON as text/plain", { "content-type": "text/plain" }],
  ["a multipart form", { "content-type": "multipart/form-data; boundary=x" }],
];
test.each(refusedFromBrowsers)("%s may change nothing", async (_what, headers) => {
  const { status, body } = await send("POST", "/api/environments", { body: '{"name":"forged"}', headers });
  expect([status, body.code]).toEqual([403, "E_FORBIDDEN"]);
  expect((await server.admin.environments.list()).some(({ name }) => name === ("forged" as never))).toBe(false);
});

test("the same origin, and whoever is no browser, may", async () => {
  const own = await send("POST", "/api/environments", {
    body: '{"name":"own-origin"}',
    headers: { ...json, origin: server.url, "sec-fetch-site": "same-origin" },
  });
  expect(own.status).toBe(201);
  await server.admin.environments.create({ name: "plain" });
});

test("the OpenAPI document has every contract route, the bearer scheme and the error's shape", async () => {
  const document = (await (await server.fetch("/api/openapi.json")).json()) as {
    openapi: string;
    paths: Record<string, Record<string, { responses: Record<string, unknown>; parameters?: { name: string }[] }>>;
    components: { securitySchemes: Record<string, unknown>; schemas: Record<string, { required: string[] }> };
  };
  expect(document.openapi).toStartWith("3.1");
  expect(document.paths["/environments/{environment}/packages/{name}"]?.delete?.responses.default).toBeDefined();
  expect(document.paths["/blobs/{blob}"]?.get?.responses["206"]).toBeDefined();
  expect(document.components.securitySchemes.bearer).toMatchObject({ type: "http", scheme: "bearer" });
  const parameters = document.paths["/hosts"]?.get?.parameters ?? [];
  expect(parameters.map(({ name }) => name)).toEqual(expect.arrayContaining(["state", "label", "search", "limit", "after"]));
  expect(parameters.find(({ name }) => name === "state")).toMatchObject({ in: "query", style: "form", explode: true });
  expect(document.components.schemas.Error?.required).toEqual(["code", "message"]);
});
