import { afterAll, beforeAll, expect, test } from "bun:test";
import { type HostReport, keyIdOf, pinnedKeyIdOf } from "../../contract/index.ts";
import { listAudit } from "../../db/index.ts";
import { openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const report: HostReport = {
  phase: "ready",
  generation: 3,
  lockfileHash: "a".repeat(64),
  platform: { os: "linux", cpu: "arm64", libc: "musl" },
  agentVersion: "0.1.0",
  runsInFlight: 2,
  freeBytes: 1_000_000,
};

test("a host's token pins the key that signs, and tells it who it is", async () => {
  const { host, token } = await server.admin.hosts.enrol({ id: "pinned", environment: "default" });
  expect(host).toMatchObject({ id: "pinned", environment: "default", phase: "pending", generation: 0 });
  const identity = (await (await server.fetch("/api/hosts/self", { token })).json()) as Record<string, string>;
  expect(identity).toMatchObject({ hostId: "pinned", environment: "default", storeId: server.context.signer.storeId });
  expect(await keyIdOf(identity.publicKey ?? "")).toBe(pinnedKeyIdOf(token) ?? "none");
});

test("a host reports itself and nobody else", async () => {
  const { token } = await server.admin.hosts.enrol({ id: "reporting", environment: "default" });
  const answer = await server.client(token).hosts.report(report);
  expect(answer).toMatchObject({ id: "reporting", ...report });
  const seen = await server.admin.hosts.get({ id: "reporting" });
  expect(seen.lastSeenAt).toBeDefined();
  expect((await server.admin.hosts.get({ id: "pinned" })).phase).toBe("pending");
});

test("an id is taken once, and `self` never", async () => {
  await server.admin.hosts.enrol({ id: "twice", environment: "default" });
  expect(await refusalOf(server.admin.hosts.enrol({ id: "twice", environment: "default" }))).toMatchObject({
    code: "E_CONFLICT",
  });
  expect(await refusalOf(server.admin.hosts.enrol({ id: "self", environment: "default" }))).toMatchObject({ code: "E_INPUT" });
  expect(await refusalOf(server.admin.hosts.enrol({ id: "lost", environment: "nowhere" }))).toMatchObject({
    code: "E_NOT_FOUND",
  });
});

test("a revoked host's token dies at once, also while it is in use, and the id is free again", async () => {
  const { token } = await server.admin.hosts.enrol({ id: "doomed", environment: "default" });
  const status = async (text: string) => (await server.fetch("/api/hosts/self", { token: text })).status;
  expect(await status(token)).toBe(200);
  await server.admin.hosts.revoke({ id: "doomed" });
  expect(await status(token)).toBe(401);
  expect(await refusalOf(server.admin.hosts.get({ id: "doomed" }))).toMatchObject({ code: "E_NOT_FOUND" });
  expect(await refusalOf(server.admin.hosts.revoke({ id: "doomed" }))).toMatchObject({ code: "E_NOT_FOUND" });
  const again = await server.admin.hosts.enrol({ id: "doomed", environment: "default" });
  expect([await status(again.token), await status(token)]).toEqual([200, 401]);
});

test("enrolment and revocation leave one audit row each, without the token", async () => {
  const before = (await listAudit(server.context.db.query, { limit: 1000 })).length;
  const { token } = await server.admin.hosts.enrol({ id: "audited", environment: "default" });
  await server.admin.hosts.revoke({ id: "audited" });
  const rows = await listAudit(server.context.db.query, { limit: 1000 });
  expect(rows.slice(0, rows.length - before).map(({ action, target }) => `${action} ${target}`)).toEqual([
    "host.revoke audited",
    "host.enrol audited",
  ]);
  expect(JSON.stringify(rows)).not.toContain(token);
});
