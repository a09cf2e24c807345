import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { until } from "../../../test/harness/until.ts";
import { type EnvironmentName, rawRoutes } from "../../contract/index.ts";
import { listAudit } from "../../db/index.ts";
import { commitTestGeneration } from "../testing/test-generation.ts";
import { openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

let made = 0;
/** An environment of its own with `generations` in it, whose policy takes anything. */
async function open(generations = 0): Promise<EnvironmentName> {
  const name = `env-${++made}` as EnvironmentName;
  await server.admin.environments.create({ name });
  await server.admin.policy.set({ environment: name, change: { minReleaseAgeMs: 0 } });
  for (let i = 0; i < generations; i++)
    await commitTestGeneration(server.context, { content: randomBytes(1000), environment: name, name: `p${i}` });
  return name;
}
const list = async (environment: EnvironmentName) => (await server.admin.generations.list({ environment })).items;
const pinsOf = async (environment: EnvironmentName) =>
  (await server.admin.packages.list({ environment })).packages.map(({ name, version }) => `${name}@${version}`);
const latestRow = async () => (await listAudit(server.context.db.query, { limit: 1 }))[0];

test("a promotion is the very manifest, signed for the target, with the allowlist following, and nothing to install", async () => {
  const [staging, production] = [await open(2), await open(1)];
  const [, tried] = (await list(staging)).toReversed();
  const before = (await server.admin.packages.list({ environment: production })).revision;
  const promoted = await server.admin.generations.promote({
    environment: staging,
    number: 2,
    to: production,
    note: "tried for a week",
  });
  expect(promoted).toMatchObject({
    environment: production,
    number: 2,
    lockfileHash: tried?.lockfileHash,
    reason: "promotion",
    promotedFrom: { environment: staging, number: 2 },
    createdBy: "admin",
    note: "tried for a week",
    current: true,
    changes: { added: 1, removed: 1, changed: 0, addedBytes: 1000 },
  });
  const allowlist = await server.admin.packages.list({ environment: production });
  expect(allowlist).toMatchObject({
    installDue: false,
    packages: [{ name: "p1", version: "1.0.0", enabled: true, addedBy: "admin" }],
  });
  expect(allowlist.revision).toBeGreaterThan(before);
  const token = await server.join(`${production}-host`, production);
  const desired = (await (await server.fetch(rawRoutes.desired, { token })).json()) as { desired: unknown };
  expect(desired.desired).toMatchObject({ environment: production, generation: 2, lockfileHash: tried?.lockfileHash });
  const manifest = await server.fetch(rawRoutes.manifest(promoted.lockfileHash), { token });
  expect(manifest.status).toBe(200);
});

test("what a promotion leaves in the audit log names both sides", async () => {
  const [from, to] = [await open(1), await open()];
  await server.admin.generations.promote({ environment: from, number: 1, to });
  expect(await latestRow()).toMatchObject({
    action: "generation.promote",
    target: to,
    details: { from, number: 1, generation: 1 },
  });
});

test("a promotion to where it is, of what is not there, or to nowhere is refused, and changes nothing", async () => {
  const [from, to] = [await open(1), await open(1)];
  await server.admin.generations.promote({ environment: from, number: 1, to });
  const pins = await pinsOf(to);
  const refused = async (input: { number: number; to: string }) =>
    (await refusalOf(server.admin.generations.promote({ environment: from, ...input }))).code;
  expect(await refused({ number: 1, to })).toBe("E_CONFLICT");
  expect(await refused({ number: 1, to: from })).toBe("E_INPUT");
  expect(await refused({ number: 9, to })).toBe("E_NOT_FOUND");
  expect(await refused({ number: 1, to: "nowhere" })).toBe("E_NOT_FOUND");
  expect([(await list(to)).length, await pinsOf(to)]).toEqual([2, pins]);
});

test("the target's policy holds", async () => {
  const [from, to] = [await open(1), await open()];
  await server.admin.policy.set({ environment: to, change: { blocked: [{ name: "p0", range: "*", reason: "no" }] } as never });
  expect(await refusalOf(server.admin.generations.promote({ environment: from, number: 1, to }))).toMatchObject({
    code: "E_POLICY",
  });
  expect(await list(to)).toEqual([]);
});

test("two promotions in opposite directions both happen", async () => {
  const [a, b] = [await open(1), await open(1)];
  const outcomes = await Promise.all([
    server.admin.generations.promote({ environment: a, number: 1, to: b }),
    server.admin.generations.promote({ environment: b, number: 1, to: a }),
  ]);
  expect(outcomes.map(({ number }) => number)).toEqual([2, 2]);
});

test("a rollback is a new generation, without a registry, and leaves the allowlist", async () => {
  const environment = await open(3);
  const pins = await pinsOf(environment);
  const back = await server.admin.generations.rollback({ environment, number: 1, note: "p2 breaks reports" });
  expect(back).toMatchObject({
    number: 4,
    reason: "rollback",
    rollbackOf: 1,
    note: "p2 breaks reports",
    changes: { added: 1, removed: 1 },
  });
  expect(await pinsOf(environment)).toEqual(pins);
  expect(await refusalOf(server.admin.generations.rollback({ environment, number: 1 }))).toMatchObject({ code: "E_CONFLICT" });
});

test("the list is read page by page, and notes are put on and taken off", async () => {
  const environment = await open(3);
  const page = await server.admin.generations.list({ environment, limit: 2 });
  const rest = await server.admin.generations.list({ environment, limit: 2, after: page.next });
  expect([...page.items, ...rest.items].map(({ number }) => number)).toEqual([3, 2, 1]);
  expect(rest.next).toBeUndefined();
  await server.admin.generations.annotate({ environment, number: 2, note: "  known good " });
  expect(await server.admin.generations.get({ environment, number: 2 })).toMatchObject({ note: "known good" });
  await server.admin.generations.annotate({ environment, number: 2, note: "" });
  expect((await server.admin.generations.get({ environment, number: 2 })).note).toBeUndefined();
});

test("a diff says packed and unpacked bytes of both sides", async () => {
  const environment = await open(2);
  const diff = await server.admin.generations.diff({ environment, from: 1, to: 2 });
  expect(diff).toMatchObject({
    addedBytes: 1000,
    removedBytes: 1000,
    sizes: { from: { nodes: 1, packedBytes: 1000 }, to: { nodes: 1 } },
  });
});

test("an environment is shown and removed, not while hosts are enrolled, and its blobs are collected", async () => {
  const environment = await open(2);
  const token = await server.join(`${environment}-host`, environment);
  expect(await server.admin.environments.get({ environment })).toMatchObject({ generation: 2, hosts: 1 });
  const refusal = await refusalOf(server.admin.environments.remove({ environment }));
  expect(refusal).toMatchObject({ code: "E_CONFLICT", details: { hosts: [`${environment}-host`], count: 1 } });
  const blobsBefore = (await server.admin.storage.status()).blobs;
  expect(await server.admin.environments.remove({ environment, revokeHosts: true })).toEqual({
    name: environment,
    revokedHosts: [`${environment}-host`],
  });
  expect((await server.fetch(rawRoutes.desired, { token })).status).toBe(401);
  expect((await server.admin.environments.list()).map(({ name }) => name)).not.toContain(environment);
  const { operation } = await server.admin.storage.collect({ graceMs: 0 });
  await until("it is collected", async () => (await server.admin.operations.get({ id: operation.id })).endedAt !== undefined);
  expect((await server.admin.storage.status()).blobs).toBeLessThanOrEqual(blobsBefore - 2);
});

test("I6: an environment made anew under an old name goes on counting", async () => {
  const environment = await open(2);
  await server.admin.environments.remove({ environment });
  expect(await server.admin.environments.create({ name: environment })).toMatchObject({ generation: 0 });
  expect(await list(environment)).toEqual([]);
  const { generation } = await commitTestGeneration(server.context, { content: randomBytes(10), environment });
  expect(generation.number).toBe(3);
});

test("the default environment stays", async () => {
  expect(await refusalOf(server.admin.environments.remove({ environment: "default", revokeHosts: true }))).toMatchObject({
    code: "E_INPUT",
  });
});
