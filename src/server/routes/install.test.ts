import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FixtureRegistry, openFixtureRegistry } from "../../../test/harness/fixture-registry.ts";
import { until } from "../../../test/harness/until.ts";
import { defaultEnvironment, type HostReport, type Operation, parsePlatform, rawRoutes } from "../../contract/index.ts";
import { listAudit } from "../../db/index.ts";
import type { OperationRun } from "../../operations/index.ts";
import { openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";

const environment = defaultEnvironment;
let registry: FixtureRegistry;
let server: TestServer;
beforeAll(async () => {
  registry = await openFixtureRegistry([
    { name: "top", version: "1.0.0", dependencies: { leaf: "^1.0.0" } },
    { name: "leaf", version: "1.0.0" },
    { name: "extra", version: "2.0.0" },
  ]);
  server = await openTestServer({ registry: new URL(registry.url) });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const ended = (id: string): Promise<Operation> =>
  until("the operation ends", async () => {
    const operation = await server.admin.operations.get({ id });
    return operation.endedAt ? operation : undefined;
  });

async function install(): Promise<Operation> {
  return await ended((await server.admin.installs.start({ environment })).operation.id);
}

test("an install makes a generation that status, list and the desired state agree on", async () => {
  await server.admin.packages.add({ environment, packages: [{ name: "top" }] });
  const operation = await install();
  expect(operation).toMatchObject({
    state: "succeeded",
    requestedBy: "admin",
    result: { generation: 1, nodes: 2, changed: true },
  });
  const status = await server.admin.status.get({ environment });
  expect(status).toMatchObject({
    generation: 1,
    installDue: false,
    packages: 1,
    lockfileHash: (operation.result as { lockfileHash: string }).lockfileHash,
  });
  expect(status.operation?.id).toBe(operation.id);
  const [generation] = (await server.admin.generations.list({ environment })).items;
  expect(generation).toMatchObject({ number: 1, current: true, reason: "install", nodes: 2 });
  expect((await server.admin.environments.list())[0]).toMatchObject({ name: "default", generation: 1 });
});

test("a host that comes later, with a platform nobody fetched for, gets its blobs", async () => {
  const token = await server.join("late");
  const { integrity } = registry.get("leaf", "1.0.0");
  const key = Buffer.from(integrity.slice(7), "base64").toString("hex");
  expect((await server.fetch(rawRoutes.blob(key), { token })).status).toBe(404);
  const report: HostReport = {
    phase: "error",
    generation: 0,
    platform: parsePlatform("linux-arm64-musl"),
    agentVersion: "0.1.0",
    runsInFlight: 0,
  };
  await server.client(token).hosts.report(report);
  await until("its blob is there", async () => (await server.fetch(rawRoutes.blob(key), { token })).status === 200);
  expect((await server.admin.generations.list({ environment })).items.map(({ number }) => number)).toEqual([1]);
  expect(await server.admin.storage.status()).toMatchObject({
    active: "memory",
    blobs: 2,
    migration: { state: "idle", target: null, error: null },
  });
});

test("a diff names what changed and what it weighs", async () => {
  await server.admin.packages.add({ environment, packages: [{ name: "extra" }] });
  await install();
  const diff = await server.admin.generations.diff({ environment, from: 1, to: 2 });
  const bytes = registry.get("extra", "2.0.0").tarball.byteLength;
  expect(diff).toMatchObject({ from: 1, to: 2, addedBytes: bytes });
  expect(diff.changes).toMatchObject([{ name: "extra", change: "added", from: [], to: ["2.0.0"], transitive: false }]);
  expect((await server.admin.generations.diff({ environment, from: 2, to: 1 })).changes).toMatchObject([{ change: "removed" }]);
  const unknown = await refusalOf(server.admin.generations.diff({ environment, from: 1, to: 9 }));
  expect([unknown.code, unknown.details]).toEqual(["E_NOT_FOUND", { environment, generation: 9 }]);
});

test("a rollback is a new generation with the older one's packages, and one audit row", async () => {
  const before = (await listAudit(server.context.db.query, { limit: 1000 })).length;
  const rolledBack = await server.admin.generations.rollback({ environment, number: 1 });
  expect(rolledBack).toMatchObject({ number: 3, reason: "rollback", rollbackOf: 1, current: true });
  expect(await listAudit(server.context.db.query, { limit: 1000 })).toHaveLength(before + 1);
  expect((await server.admin.status.get({ environment })).installDue).toBe(true);
  expect(await refusalOf(server.admin.generations.rollback({ environment, number: 99 }))).toMatchObject({ code: "E_NOT_FOUND" });
});

test("an allowlist that changed is an admin's to install: a host in trouble does not do it", async () => {
  const token = await server.join("impatient");
  const operations = (await server.admin.operations.list({})).items.length;
  await server.client(token).hosts.report({
    phase: "error",
    generation: 0,
    platform: parsePlatform("darwin-arm64"),
    agentVersion: "0.1.0",
    runsInFlight: 0,
  });
  expect((await server.admin.operations.list({})).items).toHaveLength(operations);
});

test("callers who ask for an install at once share one", async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => server.admin.installs.start({ environment })));
  expect(new Set(answers.map(({ operation }) => operation.id)).size).toBe(1);
  expect(answers.filter(({ joined }) => !joined)).toHaveLength(1);
  await ended(answers[0]?.operation.id ?? "");
});

test("cancelling ends a running operation; one that has ended stays as it is", async () => {
  const handlers = {
    install: ({ signal }: OperationRun) =>
      new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  };
  await using own = await openTestServer({ handlers });
  const { id } = (await own.admin.installs.start({ environment })).operation;
  await until("it runs", async () => (await own.admin.operations.get({ id })).state === "running");
  await own.admin.operations.cancel({ id });
  await until("it is cancelled", async () => (await own.admin.operations.get({ id })).state === "cancelled");
  const rows = (await listAudit(own.context.db.query)).length;
  expect(await own.admin.operations.cancel({ id })).toMatchObject({ id, state: "cancelled" });
  expect(await listAudit(own.context.db.query)).toHaveLength(rows);
  expect(await refusalOf(own.admin.operations.cancel({ id: "op-none" }))).toMatchObject({ code: "E_NOT_FOUND" });
});
