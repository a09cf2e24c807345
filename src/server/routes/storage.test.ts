import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { until } from "../../../test/harness/until.ts";
import type { Id } from "../../contract/index.ts";
import { listAudit } from "../../db/index.ts";
import { commitTestGeneration } from "../testing/test-generation.ts";
import { openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";

const ended = async (server: TestServer, id: Id) =>
  await until("the operation ends", async () => {
    const operation = await server.admin.operations.get({ id });
    return operation.endedAt !== undefined && operation;
  });
const audited = async (server: TestServer) =>
  (await listAudit(server.context.db.query)).filter(({ action }) => action.startsWith("storage."));
const filled = async () => {
  const server = await openTestServer();
  for (const name of ["a", "b", "c"]) await commitTestGeneration(server.context, { content: randomBytes(1000), name });
  return server;
};

test("a migration starts at once, moves everything, and leaves one audit row; asked for again, nothing is touched", async () => {
  await using server = await filled();
  expect(await server.admin.storage.planMigration({ target: "postgres" })).toMatchObject({
    toMove: 3,
    bytesToMove: 3000,
    needed: true,
  });
  const { operation, joined } = await server.admin.storage.migrate({ target: "postgres" });
  expect(joined).toBe(false);
  expect(operation).toMatchObject({ kind: "migrate", requestedBy: "admin", input: { target: "postgres", parallel: 4 } });
  expect(await ended(server, operation.id)).toMatchObject({ state: "succeeded", result: { copied: 3, copiedBytes: 3000 } });
  expect(await audited(server)).toMatchObject([{ actor: "admin", action: "storage.migrate", target: "postgres" }]);
  const status = await server.admin.storage.status();
  expect(status).toMatchObject({ active: "postgres", blobs: 3, bytes: 3000, migration: { state: "idle" }, quarantined: [] });
  expect(status.stores.find(({ name }) => name === "memory")).toMatchObject({ blobs: 0, strayBlobs: 3, strayBytes: 3000 });
  const again = await server.admin.storage.migrate({ target: "postgres" });
  expect(await ended(server, again.operation.id)).toMatchObject({ state: "succeeded", result: { copied: 0, alreadyThere: 0 } });
});

test("a collection says what it would delete, deletes it, and counts it; what was collected can no longer be rolled back to", async () => {
  await using server = await filled();
  const environment = "default" as never;
  expect(await server.admin.storage.planCollection({ graceMs: 0 })).toMatchObject({
    manifests: 1,
    deleted: { blobs: 1, bytes: 1000 },
  });
  expect(await server.admin.storage.planCollection({})).toMatchObject({ deleted: { blobs: 0 }, keptWithinGrace: { blobs: 1 } });
  const { operation } = await server.admin.storage.collect({ graceMs: 0 });
  expect(await ended(server, operation.id)).toMatchObject({ state: "succeeded", result: { manifests: 1, reclaimedBytes: 1000 } });
  expect(await server.admin.storage.status()).toMatchObject({
    blobs: 2,
    collection: { reclaimedBytes: 1000, reclaimedTotalBytes: 1000 },
  });
  expect((await audited(server)).map(({ action }) => action)).toEqual(["storage.collect"]);
  expect((await server.admin.generations.list({ environment })).items.map(({ available }) => available)).toEqual([
    true,
    true,
    false,
  ]);
  const refusals = [
    server.admin.generations.rollback({ environment, number: 1 }),
    server.admin.generations.diff({ environment, from: 1, to: 3 }),
  ];
  for (const refusal of refusals) {
    expect(await refusalOf(refusal)).toMatchObject({
      code: "E_NOT_FOUND",
      message: expect.stringContaining("no longer available"),
    });
  }
});

test("a verification reads everything, and leaves out what was read lately when it is told to", async () => {
  await using server = await filled();
  const first = await server.admin.storage.verify({ parallel: 2 });
  expect(await ended(server, first.operation.id)).toMatchObject({ state: "succeeded", result: { checked: 3, broken: 0 } });
  const second = await server.admin.storage.verify({ maxAgeMs: 3_600_000 });
  expect(await ended(server, second.operation.id)).toMatchObject({ result: { checked: 0 } });
  expect((await audited(server)).map(({ action }) => action)).toEqual(["storage.audit", "storage.audit"]);
});

test("what cannot be done is refused, and nothing is queued", async () => {
  await using server = await filled();
  expect(await refusalOf(server.admin.storage.migrate({ target: "tape" }))).toMatchObject({ code: "E_INPUT" });
  expect(await refusalOf(server.admin.storage.planMigration({ target: "tape" }))).toMatchObject({ code: "E_INPUT" });
  expect(await refusalOf(server.admin.storage.migrate({ target: "fs", bytesPerSecond: 1 }))).toMatchObject({ code: "E_INPUT" });
  expect(await refusalOf(server.admin.storage.resumeMigration({}))).toMatchObject({ code: "E_CONFLICT" });
  expect(await refusalOf(server.admin.storage.cancelMigration())).toMatchObject({ code: "E_CONFLICT" });
  expect(await server.admin.operations.list({})).toEqual({ items: [] });
  expect(await audited(server)).toEqual([]);
});

test("a cancelled migration says so, is readable throughout, and is resumed with its target and its limits", async () => {
  await using server = await filled();
  const { operation } = await server.admin.storage.migrate({ target: "postgres", bytesPerSecond: 1024, parallel: 1 });
  await until("it moves", async () => (await server.admin.storage.status()).migration.done > 0);
  expect(await refusalOf(server.admin.storage.migrate({ target: "fs" }))).toMatchObject({ code: "E_BUSY" });
  await server.admin.storage.cancelMigration();
  expect(await ended(server, operation.id)).toMatchObject({ state: "cancelled" });
  const { migration } = await server.admin.storage.status();
  expect(migration).toMatchObject({ state: "cancelled", target: "postgres", total: 3, hint: expect.stringContaining("resume") });
  const resumed = await server.admin.storage.resumeMigration({ parallel: 4 });
  expect(resumed.operation.input).toEqual({ target: "postgres", bytesPerSecond: 1024, parallel: 4 });
  expect(await ended(server, resumed.operation.id)).toMatchObject({ state: "succeeded" });
  expect((await audited(server)).map(({ action }) => action)).toEqual(["storage.migrate", "storage.cancel", "storage.migrate"]);
}, 30_000);
