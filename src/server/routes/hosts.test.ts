import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { sql } from "drizzle-orm";
import { startPostgres } from "../../../test/harness/postgres.ts";
import {
  createReadProof,
  generateKeyPair,
  type HostReport,
  keyIdOf,
  parseEnrolmentToken,
  rawRoutes,
} from "../../contract/index.ts";
import { listAudit } from "../../db/index.ts";
import { createTokenText } from "../auth/token-text.ts";
import { joinWith, openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";

// A database takes seconds to make on a busy machine.
setDefaultTimeout(60_000);

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
  await server.admin.environments.create({ name: "other" });
});
afterAll(() => server[Symbol.asyncDispose]());

const environment = "default";
const report: HostReport = {
  phase: "ready",
  generation: 3,
  lockfileHash: "a".repeat(64),
  accepted: 3,
  platform: { os: "linux", cpu: "arm64", libc: "musl" },
  agentVersion: "0.1.0",
  runsInFlight: 2,
  freeBytes: 1_000_000,
};
const enrol = async (asked: object = {}) => (await server.admin.hosts.enrol({ environment, ...asked })).token;
const join = async (token: string, key?: Awaited<ReturnType<typeof generateKeyPair>>, changes = {}) => {
  const answer = await joinWith(server.url, token, key ?? (await generateKeyPair()), changes);
  return { status: answer.status, body: (await answer.json()) as Record<string, string> };
};
const query = (text: string) => server.context.db.query.execute(sql.raw(text));

describe("joining", () => {
  test("gives an identity, whose signing key the token names", async () => {
    const token = await enrol({ id: "pinned", labels: { zone: "eu" } });
    const key = await generateKeyPair();
    const { status, body } = await join(token, key, { platform: report.platform });
    expect([status, body]).toMatchObject([200, { hostId: "pinned", environment, storeId: server.context.signer.storeId }]);
    expect(await keyIdOf(body.publicKey ?? "")).toBe(parseEnrolmentToken(token).keyId);
    const host = { hostId: "pinned", ...key };
    expect(await (await server.fetch(rawRoutes.self, { token: host })).json()).toEqual(body);
    expect(await server.admin.hosts.get({ id: "pinned" })).toMatchObject({
      labels: { zone: "eu" },
      platform: report.platform,
      phase: "pending",
      keyId: await keyIdOf(key.publicKey),
    });
  });

  test("again with the same key, whose answer was lost, gives the same identity and costs no use", async () => {
    const { enrolment, token } = await server.admin.hosts.enrol({ environment, uses: 2 });
    const key = await generateKeyPair();
    const answers = await Promise.all(Array.from({ length: 5 }, () => join(token, key, { name: "Lost.example" })));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.hostId}`))).toEqual(new Set(["200 lost"]));
    const { used } = (await server.admin.hosts.enrolments()).find(({ id }) => id === enrolment.id) ?? {};
    expect(used).toBe(1);
    await query(`update enrolments set expires_at = now() - interval '1 s' where id = '${enrolment.id}'`);
    expect((await join(token, key)).body.hostId).toBe("lost");
    expect((await join(token)).status).toBe(401);
  });

  test.each([1, 7])("of 50 hosts that join at once with a token for %p, so many do", async (uses) => {
    const token = await enrol({ uses });
    const answers = await Promise.all(Array.from({ length: 50 }, () => join(token, undefined, { name: "crowd" })));
    const joined = answers.filter(({ status }) => status === 200);
    expect(joined).toHaveLength(uses);
    expect(new Set(joined.map(({ body }) => body.hostId)).size).toBe(uses);
    expect(new Set(answers.filter(({ status }) => status !== 200).map(({ status }) => status))).toEqual(new Set([401]));
  });

  test("of 50 hosts that join at once at two replicas on PostgreSQL with a token for 7, 7 do", async () => {
    await using postgres = await startPostgres();
    const database = { url: await postgres.createDatabase() };
    const shared = { database, secretKey: randomBytes(32).toString("hex"), adminToken: createTokenText("admin") };
    await using one = await openTestServer(shared);
    await using two = await openTestServer(shared);
    const { token, enrolment } = await one.admin.hosts.enrol({ environment, uses: 7 });
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) =>
        joinWith((index % 2 ? one : two).url, token, await generateKeyPair(), { name: "crowd" }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect([statuses.filter((status) => status === 200).length, new Set(statuses)]).toEqual([7, new Set([200, 401])]);
    expect((await two.admin.hosts.list({})).items).toHaveLength(7);
    expect((await two.admin.hosts.enrolments()).find(({ id }) => id === enrolment.id)).toMatchObject({ used: 7, state: "used" });
  });

  test("names a host after its machine, and two machines of one name apart", async () => {
    const token = await enrol({ uses: 10 });
    const names = ["Web-1.eu.example", "web-1", "self", "", "Ünï ©", "-x-", "y".repeat(200)];
    const ids: string[] = [];
    for (const name of names) ids.push((await join(token, undefined, { name })).body.hostId ?? "");
    expect(ids[0]).toBe("web-1");
    expect(ids[1]).toMatch(/^web-1-[0-9a-f]{8}$/);
    expect(ids[2]).toMatch(/^self-[0-9a-f]{8}$/);
    expect(ids[3]).toMatch(/^host/);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^[a-z0-9][a-z0-9_-]{0,63}$/.test(id))).toBe(true);
  });

  test("is refused with a token that is used up, expired, revoked or unknown, and the answer says which", async () => {
    const spent = await enrol();
    await join(spent);
    const { enrolment: old, token: expired } = await server.admin.hosts.enrol({ environment });
    await query(`update enrolments set expires_at = now() - interval '1 s' where id = '${old.id}'`);
    const { enrolment, token: revoked } = await server.admin.hosts.enrol({ environment });
    await server.admin.hosts.revokeEnrolment({ id: enrolment.id });
    await using elsewhere = await openTestServer();
    const unknown = (await elsewhere.admin.hosts.enrol({ environment })).token;
    const said = [/was used once/, /expired at/, /was revoked/, /not known here/];
    for (const [index, token] of [spent, expired, revoked, unknown].entries()) {
      const { status, body } = await join(token);
      expect([status, body.code]).toEqual([401, "E_UNAUTHENTICATED"]);
      expect(body.message).toMatch(said[index] as RegExp);
    }
  });

  test("tells every single wrong character of a token apart from one that is not known", async () => {
    const token = await enrol();
    const start = "ldr_enrol_".length;
    const mistyped = Array.from({ length: token.length - start }, (_, index) => {
      const at = start + index;
      return token.slice(0, at) + (token[at] === "a" ? "b" : "a") + token.slice(at + 1);
    });
    for (const text of mistyped.filter((text) => text !== token)) expect(() => parseEnrolmentToken(text)).toThrow("is wrong");
    const { status, body } = await join(mistyped[20] as string);
    expect([status, body.code]).toEqual([400, "E_TOKEN_MISTYPED"]);
    expect((await join(`${token}x`)).body.code).toBe("E_TOKEN_MISTYPED");
  });

  test("is refused to who has not the private half of the key, and to a store of another environment", async () => {
    const token = await enrol();
    const [own, stolen] = [await generateKeyPair(), await generateKeyPair()];
    expect((await join(token, own, { publicKey: stolen.publicKey })).body.code).toBe("E_SIGNATURE");
    expect((await join(token, own, { publicKey: "x" })).body.code).toBe("E_INPUT");
    const member = { storeId: server.context.signer.storeId, environment: "other" };
    expect((await join(token, own, { member })).body.code).toBe("E_WRONG_STORE");
    expect((await join(token, own)).status).toBe(200);
  });

  test("as another host, or in another environment, takes a revocation first", async () => {
    const key = await generateKeyPair();
    const { hostId } = (await join(await enrol(), key)).body;
    const elsewhere = await enrol({ environment: "other" });
    expect((await join(elsewhere, key)).body.code).toBe("E_CONFLICT");
    await server.admin.hosts.revoke({ id: hostId ?? "" });
    // The token was made before: who is shut out does not come back with what it has.
    expect((await join(elsewhere, key)).body.message).toContain("revoked after the token was made");
    expect((await join(await enrol({ environment: "other" }), key)).status).toBe(200);
  });

  test("under an id that another key has is refused, and costs no use", async () => {
    await server.join("taken");
    expect(await refusalOf(server.admin.hosts.enrol({ id: "taken", environment }))).toMatchObject({ code: "E_CONFLICT" });
    await server.admin.hosts.revoke({ id: "taken" });
    const [one, two] = [await enrol({ id: "taken" }), await enrol({ id: "taken" })];
    expect((await join(one)).status).toBe(200);
    expect((await join(two)).body.code).toBe("E_CONFLICT");
  });

  test("leaves one audit row, as making and revoking a token do, without its text", async () => {
    const before = (await listAudit(server.context.db.query, { limit: 1000 })).length;
    const { enrolment, token } = await server.admin.hosts.enrol({ environment, id: "audited" });
    await join(token);
    await server.admin.hosts.revokeEnrolment({ id: enrolment.id });
    await server.admin.hosts.revoke({ id: "audited" });
    const rows = await listAudit(server.context.db.query, { limit: 1000 });
    expect(rows.slice(0, rows.length - before).map(({ action, target }) => `${action} ${target}`)).toEqual([
      "host.revoke audited",
      `enrolment.revoke ${enrolment.id}`,
      "host.join audited",
      "host.enrol audited",
    ]);
    expect(JSON.stringify(rows)).not.toContain(token.slice(10, 40));
  });

  test("what cannot be an enrolment is refused", async () => {
    const make = (asked: object) => refusalOf(server.admin.hosts.enrol({ environment, ...asked } as never));
    for (const asked of [
      { id: "self" },
      { id: "two", uses: 2 },
      { uses: 0 },
      { expiresInMs: 1 },
      { labels: { "Bad Name": "x" } },
    ]) {
      expect(await make(asked)).toMatchObject({ code: "E_INPUT" });
    }
    expect(await make({ environment: "nowhere" })).toMatchObject({ code: "E_NOT_FOUND" });
  });
});

test("a host reports itself and nobody else", async () => {
  const host = await server.join("reporting");
  expect(await server.client(host).hosts.report(report)).toEqual({ kept: true });
  const seen = await server.admin.hosts.get({ id: "reporting" });
  expect(seen).toMatchObject({ id: "reporting", ...report });
  expect(seen.lastSeenAt).toBeDefined();
  expect((await server.admin.hosts.get({ id: "pinned" })).phase).toBe("pending");
});

test("a revoked host's key dies at once, also while it is in use, and the id is free again", async () => {
  const host = await server.join("doomed");
  const status = async () => (await server.fetch(rawRoutes.self, { token: host })).status;
  expect(await status()).toBe(200);
  await server.admin.hosts.revoke({ id: "doomed" });
  expect(await status()).toBe(401);
  expect(await refusalOf(server.admin.hosts.get({ id: "doomed" }))).toMatchObject({ code: "E_NOT_FOUND" });
  expect(await refusalOf(server.admin.hosts.revoke({ id: "doomed" }))).toMatchObject({ code: "E_NOT_FOUND" });
  const again = await server.join("doomed");
  expect((await server.fetch(rawRoutes.self, { token: again })).status).toBe(200);
  expect(await status()).toBe(401);
});

test("a revocation whose notice is lost is seen within a second", async () => {
  const host = await server.join("unnoticed");
  const status = async () => (await server.fetch(rawRoutes.self, { token: host })).status;
  expect(await status()).toBe(200);
  await query("update hosts set revoked_at = now() where id = 'unnoticed'");
  await Bun.sleep(1100);
  expect(await status()).toBe(401);
});

test("what is asked is signed: another host's, another time's, another path's and a repeated request are refused", async () => {
  const [host, other] = [await server.join("signing"), await server.join("neighbour")];
  const self = async (authorization: string) => {
    const response = await server.fetch(rawRoutes.self, { headers: { authorization } });
    return [response.status, ((await response.json()) as { code?: string }).code];
  };
  expect((await self(await createReadProof(host, Date.now())))[0]).toBe(200);
  expect(await self(await createReadProof({ ...host, privateKey: other.privateKey }, Date.now()))).toEqual([
    401,
    "E_UNAUTHENTICATED",
  ]);
  for (const skewMs of [-10 * 365 * 86_400_000, -310_000, 70_000, 10 * 365 * 86_400_000]) {
    expect(await self(await createReadProof(host, Date.now() + skewMs))).toEqual([401, "E_CLOCK_SKEW"]);
  }
  expect(await self("LarderHost nonsense")).toEqual([401, "E_UNAUTHENTICATED"]);
});
