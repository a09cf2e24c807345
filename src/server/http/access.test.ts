import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Role, roles } from "../../contract/index.ts";
import { createTokenText } from "../auth/token-text.ts";
import { openTestServer, type Caller as ServerCaller, type TestServer } from "../testing/test-server.ts";
import { type Route, routeTable } from "./route-table.ts";

const callers = [...roles, "none", "garbage", "enrolment", "revoked", "revokedHost"] as const;
type Caller = (typeof callers)[number];

let server: TestServer;
const tokens: Partial<Record<Caller, ServerCaller>> = {};

beforeAll(async () => {
  server = await openTestServer();
  for (const role of ["admin", "operator", "viewer", "author", "metrics"] as const)
    tokens[role] = (await server.admin.tokens.create({ role, subject: role })).text;
  tokens.host = await server.join("host-a");
  tokens.enrolment = (await server.admin.hosts.enrol({ environment: "default" })).token;
  tokens.garbage = createTokenText("admin");
  const revoked = await server.admin.tokens.create({ role: "admin", subject: "was here" });
  await server.admin.tokens.revoke({ id: revoked.token.id });
  tokens.revoked = revoked.text;
  tokens.revokedHost = await server.join("host-b");
  await server.admin.hosts.revoke({ id: "host-b" });
});
afterAll(() => server[Symbol.asyncDispose]());

/** An address of the route that names nothing there is, so that a call which is let through changes nothing. */
const sampleOf = ({ path }: Route): string =>
  path
    .replace("{environment}", "nowhere")
    .replace(/\{(?:from|to|number)\}/g, "1")
    .replace(/\{\w+\}/g, "nothing");

async function statusOf(route: Route, caller: Caller): Promise<number> {
  const body = ["POST", "PUT", "PATCH"].includes(route.method)
    ? { body: "{}", headers: { "content-type": "application/json" } }
    : {};
  const abort = new AbortController();
  const response = await server.fetch(sampleOf(route), {
    method: route.method,
    token: tokens[caller],
    signal: abort.signal,
    ...body,
  });
  // The event stream has no end of its own.
  if (route.name !== "events") await response.text();
  abort.abort();
  return response.status;
}

const isRole = (caller: Caller): caller is Role => (roles as readonly string[]).includes(caller);

function expected(route: Route, caller: Caller): "passes" | 401 | 403 {
  // An enrolment token is nobody's, so that this route looks at it by itself.
  if (route.name === "join") return typeof tokens[caller] === "string" ? "passes" : 401;
  if (route.access === "anyone") return "passes";
  if (!isRole(caller)) return 401;
  return route.access.includes(caller) ? "passes" : 403;
}

describe.each(callers)("with a token of kind %s", (caller) => {
  test.each(routeTable.map((route) => [route.name, route] as const))(
    "%s answers as the access table says",
    async (_name, route) => {
      const status = await statusOf(route, caller);
      const outcome = status === 401 || status === 403 ? status : "passes";
      expect(outcome).toBe(expected(route, caller));
      expect(status).not.toBe(500);
    },
  );
});

test("a host reaches nothing but its own six reads, its report, and the scripts that are sent to it", () => {
  const open = routeTable.filter(({ access }) => access !== "anyone" && access.includes("host")).map(({ name }) => name);
  expect(open.sort()).toEqual([
    "blob",
    "blobs",
    "desired",
    "events",
    "hosts.claimRuns",
    "hosts.finishRun",
    "hosts.report",
    "manifest",
    "self",
  ]);
});

const changesOpenTo = (role: Role) =>
  routeTable
    .filter(({ method, access }) => method !== "GET" && access !== "anyone" && access.includes(role))
    .map(({ name }) => name)
    .sort();

test("an author changes nothing, runs scripts and asks for packages; a viewer only looks, also at plans", () => {
  expect(changesOpenTo("author")).toEqual(["hosts.run", "plans.create", "requests.create", "session.end"]);
  expect(changesOpenTo("viewer")).toEqual(["plans.create", "policy.test", "session.end"]);
});

test("an operator changes what hosts serve, not who may do what, nor where things are kept", () => {
  const groups = new Set(changesOpenTo("operator").map((name) => name.split(".")[0]));
  expect([...groups]).toEqual([
    "generations",
    "hosts",
    "installs",
    "operations",
    "packages",
    "plans",
    "policy",
    "requests",
    "revocations",
    "session",
  ]);
  expect(changesOpenTo("operator").filter((name) => name.startsWith("hosts."))).toEqual(["hosts.reconcile", "hosts.run"]);
});

test("whatever a role that only reads may do, an admin may", () => {
  const closed = routeTable.filter(({ access }) => access !== "anyone" && !access.includes("host") && !access.includes("admin"));
  expect(closed).toEqual([]);
});

test("a token for metrics reads nothing else", () => {
  const open = routeTable.filter(({ access }) => access !== "anyone" && access.includes("metrics"));
  expect(open.map(({ name }) => name)).toEqual(["metrics"]);
});

test.each(["Bearer", "Bearer ", "Basic YWRtaW46YWRtaW4=", `Bearer ${"x".repeat(400)}`, "Bearer ldr_admin_"])(
  "the authorization %p is refused with 401 and a challenge",
  async (authorization) => {
    const response = await server.fetch("/api/tokens", { headers: { authorization } });
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(await response.json()).toMatchObject({ code: "E_UNAUTHENTICATED", message: "What was sent is not a token." });
  },
);
