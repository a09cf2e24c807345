import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { openStorageStage, type StorageStage } from "../../../test/harness/storage-stage.ts";
import { type BlobKey, defaultEnvironment, type Id, LarderError } from "../../contract/index.ts";
import {
  getBlobEntry,
  insertHost,
  listGenerations,
  listStrayBlobs,
  putBlobEntry,
  reclaimedBytes,
  reportHosts,
  tryElect,
} from "../../db/index.ts";
import { silentLogger } from "../../lib/index.ts";
import { rollbackTo } from "../generations/rollback.ts";
import type { DesiredStateSigner } from "../install/install-options.ts";
import { requestCollection } from "../request-operation.ts";
import { createCollectHandler } from "./collect.ts";
import { readCollectionPlan } from "./plan-collection.ts";
import { startCollectSchedule } from "./schedule.ts";

const now = { graceMs: 0 };
const has = async (stage: StorageStage, key: BlobKey, store = "fs") => (await stage.stores[store]!.head(key)) !== undefined;
const later = (stage: StorageStage, hours: number) =>
  Promise.all(
    [
      "blobs set unreferenced_since = unreferenced_since",
      "manifests set unreferenced_since = unreferenced_since",
      "stray_blobs set since = since",
    ].map((change) => stage.db.query.execute(sql.raw(`update ${change} - interval '${hours} hours'`))),
  );
const signer = { storeId: "s", sign: async (state) => ({ desired: state }) as never } satisfies DesiredStateSigner;

async function threeGenerations(stage: StorageStage) {
  const [shared, a, b, c] = [await stage.addBlob(), await stage.addBlob(), await stage.addBlob(), await stage.addBlob()];
  for (const own of [a, b, c]) await stage.commit(shared!, own!);
  return { shared: shared!, a: a!, b: b!, c: c! };
}

test("the current generation and the one before stay; what only older ones had goes after the grace, counted from when it was marked", async () => {
  await using stage = await openStorageStage();
  const { shared, a, b, c } = await threeGenerations(stage);
  expect(await stage.collect()).toMatchObject({
    result: { manifests: 0, deleted: { blobs: 0 }, keptWithinGrace: { blobs: 1, bytes: 200 } },
  });
  await later(stage, 23);
  expect(await stage.collect()).toMatchObject({ result: { deleted: { blobs: 0 }, keptWithinGrace: { blobs: 1 } } });
  await later(stage, 2);
  expect(await readCollectionPlan(stage.db.query, { graceMs: 24 * 3600_000, keep: 1 })).toEqual({
    manifests: 1,
    deleted: { blobs: 1, bytes: 200 },
    strays: { blobs: 0, bytes: 0 },
    keptWithinGrace: { blobs: 0, bytes: 0 },
  });
  const { result } = (await stage.collect()) as { result: object };
  expect(result).toMatchObject({
    manifests: 1,
    deleted: { blobs: 1, bytes: 200 },
    reclaimedBytes: 200,
    reclaimedTotalBytes: 200,
    failed: 0,
  });
  expect(await has(stage, a)).toBe(false);
  expect(await getBlobEntry(stage.db.query, a)).toBeUndefined();
  for (const key of [shared, b, c]) expect(await has(stage, key)).toBe(true);
  const generations = await listGenerations(stage.db.query, defaultEnvironment);
  expect(generations.map(({ number, available }) => [number, available])).toEqual([
    [3, true],
    [2, true],
    [1, false],
  ]);
  const back = (number: number) => rollbackTo(stage.db, signer, { environment: defaultEnvironment, number, requestedBy: "t" });
  await expect(back(1)).rejects.toMatchObject({ code: "E_NOT_FOUND", message: expect.stringContaining("no longer available") });
  expect(await back(2)).toMatchObject({ number: 4, rollbackOf: 2 });
});

test("a dry run changes nothing", async () => {
  await using stage = await openStorageStage();
  await threeGenerations(stage);
  const orphan = await stage.addBlob();
  const plan = await readCollectionPlan(stage.db.query, { graceMs: 0, keep: 0 });
  expect(plan).toMatchObject({ manifests: 2, deleted: { blobs: 3, bytes: 600 } });
  expect(await has(stage, orphan)).toBe(true);
  expect(await stage.collect({ graceMs: 0, keep: 0 })).toMatchObject({ result: { manifests: 2, deleted: plan.deleted } });
});

test("I4: a host three generations behind keeps its blobs, until it moves on or is revoked", async () => {
  await using stage = await openStorageStage();
  const { a } = await threeGenerations(stage);
  await insertHost(stage.db.query, { id: "h" as Id, environment: defaultEnvironment });
  const report = (generation: number) =>
    reportHosts(stage.db.query, [
      {
        id: "h" as Id,
        report: { phase: "ready", generation, agentVersion: "1", runsInFlight: 0, platform: { os: "linux", cpu: "x64" } },
      },
    ]);
  await report(1);
  expect(await stage.collect({ graceMs: 0, keep: 0 })).toMatchObject({ result: { manifests: 1, deleted: { blobs: 1 } } });
  expect(await has(stage, a)).toBe(true);
  await report(3);
  expect(await stage.collect({ graceMs: 0, keep: 0 })).toMatchObject({ result: { manifests: 1, deleted: { blobs: 1 } } });
  expect(await has(stage, a)).toBe(false);
});

test("the grace begins anew for what was referred to again in between", async () => {
  await using stage = await openStorageStage();
  const key = await stage.addBlob();
  await stage.collect();
  await later(stage, 25);
  await stage.commit(key);
  await stage.collect();
  expect((await getBlobEntry(stage.db.query, key))?.unreferencedSince).toBeUndefined();
  await stage.commit(await stage.addBlob());
  await stage.commit(await stage.addBlob());
  expect(await stage.collect()).toMatchObject({ result: { deleted: { blobs: 0 }, keptWithinGrace: { blobs: 1 } } });
});

test("bytes without a row are found in the store, and go after the grace", async () => {
  await using stage = await openStorageStage();
  const key = await stage.addBlob();
  await stage.db.query.execute(sql.raw("delete from blobs"));
  expect(await stage.collect()).toMatchObject({ result: { strays: { blobs: 0 }, keptWithinGrace: { blobs: 1 } } });
  await later(stage, 25);
  expect(await stage.collect()).toMatchObject({ result: { strays: { blobs: 1, bytes: 200 }, deleted: { blobs: 0 } } });
  expect(await has(stage, key)).toBe(false);
});

test("a store that this database has never used is not touched: what lies there is somebody else's", async () => {
  await using stage = await openStorageStage();
  const bytes = new TextEncoder().encode("theirs");
  const key = new Bun.CryptoHasher("sha512").update(bytes).digest("hex") as BlobKey;
  await stage.stores.s3!.put(
    key,
    (async function* () {
      yield bytes;
    })(),
  );
  await stage.collect(now);
  await stage.collect(now);
  expect(await has(stage, key, "s3")).toBe(true);
});

test("copies that a migration left behind go after the grace, but not the only good one", async () => {
  await using stage = await openStorageStage();
  const keys = [await stage.addBlob(), await stage.addBlob(), await stage.addBlob()];
  await stage.commit(...keys);
  await stage.migrate({ target: "s3" });
  await stage.stores.s3!.delete(keys[1]!);
  expect(await stage.collect()).toMatchObject({ result: { strays: { blobs: 0 }, keptWithinGrace: { blobs: 3 } } });
  expect(await stage.collect(now)).toMatchObject({
    result: {
      strays: { blobs: 2 },
      failed: 1,
      failures: [{ blob: keys[1], store: "fs", message: expect.stringContaining("only good copy") }],
    },
  });
  expect(await stage.stores.fs!.keys()).toEqual([keys[1]!]);
  expect(await listStrayBlobs(stage.db.query, { graceMs: 0, limit: 9 })).toHaveLength(1);
});

test("what cannot be deleted now is named, and tried again by the next pass", async () => {
  await using stage = await openStorageStage();
  for (let i = 0; i < 3; i++) await stage.addBlob();
  stage.stores.fs!.fail({ methods: ["delete"], error: new LarderError("E_PERMISSION", "Not yours."), after: 1, times: 1 });
  expect(await stage.collect(now)).toMatchObject({
    result: { deleted: { blobs: 2 }, failed: 1, failures: [{ store: "fs", message: "Not yours." }] },
  });
  expect(await stage.collect(now)).toMatchObject({ result: { strays: { blobs: 1 }, failed: 0, reclaimedTotalBytes: 600 } });
  expect(await stage.stores.fs!.keys()).toEqual([]);
});

test("a store that is away does not keep another one from being swept", async () => {
  await using stage = await openStorageStage();
  await stage.addBlob();
  await stage.migrate({ target: "s3" });
  await stage.addBlob();
  stage.stores.fs!.fail({ methods: ["delete", "list", "get", "head"], error: new LarderError("E_STORE_UNAVAILABLE", "Away.") });
  const outcome = await stage.collect(now);
  expect(outcome).toMatchObject({ ok: true, result: { deleted: { blobs: 2 } } });
  expect(await stage.stores.s3!.keys()).toEqual([]);
  stage.stores.fs!.fail(undefined);
  expect(await stage.collect(now)).toMatchObject({ result: { strays: { blobs: 1 }, failed: 0 } });
});

test("a blob that an install has put back after its row was dropped is revived, not lost", async () => {
  await using stage = await openStorageStage();
  const bytes = new TextEncoder().encode("wanted again");
  const key = await stage.addBlob(bytes);
  stage.stores.fs!.fail({ methods: ["delete"], error: new LarderError("E_STORE_UNAVAILABLE", "Away.") });
  await stage.collect(now);
  expect(await getBlobEntry(stage.db.query, key)).toBeUndefined();
  stage.stores.fs!.fail(undefined);
  await stage.addBlob(bytes);
  await stage.commit(key);
  expect(await stage.collect(now)).toMatchObject({ result: { deleted: { blobs: 0 }, strays: { blobs: 0 }, revived: 1 } });
  expect((await stage.read(key)).byteLength).toBe(bytes.byteLength);
});

test("I5: a collection whose election is over deletes nothing", async () => {
  await using stage = await openStorageStage();
  const key = await stage.addBlob();
  const { operation } = await requestCollection(stage.db, { input: { graceMs: 0, keep: 1 }, requestedBy: "test" });
  const stale = await tryElect(stage.db);
  await stale![Symbol.asyncDispose]();
  await using _next = await tryElect(stage.db);
  const handler = createCollectHandler({ db: stage.db, stores: stage.access, logger: silentLogger });
  const running = handler({ operation, epoch: stale!.epoch, signal: new AbortController().signal, report() {} });
  await expect(running).rejects.toMatchObject({ code: "E_FENCED" });
  expect(await has(stage, key)).toBe(true);
  expect(await getBlobEntry(stage.db.query, key)).toBeDefined();
  expect(await reclaimedBytes(stage.db.query)).toBe(0);
});

test("many blobs go in several batches", async () => {
  await using stage = await openStorageStage();
  const kept = await stage.addBlob();
  await stage.commit(kept);
  await stage.db.transaction(async (tx) => {
    for (let i = 0; i < 1234; i++) {
      const key = i.toString(16).padStart(128, "0") as BlobKey;
      await putBlobEntry(tx, { key, sizeBytes: 1, store: "fs" });
    }
  });
  expect(await stage.collect(now)).toMatchObject({ result: { deleted: { blobs: 1234, bytes: 1234 }, failed: 0 } });
  expect(await listStrayBlobs(stage.db.query, { graceMs: 0, limit: 9 })).toEqual([]);
  expect(await has(stage, kept)).toBe(true);
});

test("servers ask for a collection when the latest is long enough ago", async () => {
  await using stage = await openStorageStage();
  const input = { graceMs: 5, keep: 1 };
  const schedule = startCollectSchedule({ db: stage.db, logger: silentLogger, everyMs: 80, input });
  await Bun.sleep(400);
  await schedule[Symbol.asyncDispose]();
  const { operation, joined } = await requestCollection(stage.db, { input: { graceMs: 0, keep: 0 }, requestedBy: "test" });
  expect(joined).toBe(true);
  expect(operation).toMatchObject({ requestedBy: "schedule", input });
});
