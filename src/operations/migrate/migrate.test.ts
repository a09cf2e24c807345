import { expect, test } from "bun:test";
import { openStorageStage, type StorageStage } from "../../../test/harness/storage-stage.ts";
import { LarderError } from "../../contract/index.ts";
import { getActiveStore, getBlobEntry, listQuarantinedBlobs, listStoreUsage, listStrayBlobs, tryElect } from "../../db/index.ts";
import { silentLogger } from "../../lib/index.ts";
import { requestMigration } from "../request-operation.ts";
import { createMigrateHandler } from "./migrate.ts";
import { planMigration } from "./plan-migration.ts";
import { readMigrationStatus } from "./read-migration-status.ts";

const status = (stage: StorageStage) => readMigrationStatus(stage.db.query);
const activeOf = (stage: StorageStage) => getActiveStore(stage.db.query);
const filled = async (count: number) => {
  const stage = await openStorageStage();
  const keys = await Promise.all(Array.from({ length: count }, () => stage.addBlob()));
  return { stage, keys: keys.sort() };
};

test("the plan says what is where, and what would be moved", () => {
  const usage = [
    { store: "fs", blobs: 3, bytes: 300 },
    { store: "s3", blobs: 1, bytes: 50 },
  ];
  expect(planMigration({ active: "fs", target: "s3", usage })).toEqual({
    active: "fs",
    target: "s3",
    blobs: 4,
    bytes: 350,
    toMove: 3,
    bytesToMove: 300,
    from: [usage[0]!],
    needed: true,
  });
  expect(planMigration({ active: "s3", target: "s3", usage: [usage[1]!] }).needed).toBe(false);
  // A migration to s3 that was given up is undone by one to fs, although fs is still the active store.
  expect(planMigration({ active: "fs", target: "fs", usage })).toMatchObject({ needed: true, toMove: 1 });
});

test("everything is copied, read back and recorded there; then the store is active; the old copies are strays", async () => {
  const { stage, keys } = await filled(25);
  await using _stage = stage;
  const outcome = await stage.migrate({ target: "s3" });
  expect(outcome).toMatchObject({ ok: true, result: { copied: 25, alreadyThere: 0, blobs: 25, previous: "fs", target: "s3" } });
  expect(await activeOf(stage)).toBe("s3");
  expect((await stage.stores.s3!.keys()).sort()).toEqual(keys);
  expect(await listStoreUsage(stage.db.query)).toEqual([{ store: "s3", blobs: 25, bytes: 5000 }]);
  expect(await listStrayBlobs(stage.db.query, { graceMs: 0, limit: 100 })).toHaveLength(25);
  expect(outcome.progress.at(-1)).toMatchObject({ phase: "move", done: 25, total: 25, doneBytes: 5000, totalBytes: 5000 });
  expect(await status(stage)).toMatchObject({ state: "idle" });
});

test("to the store that is active already: done, nothing touched", async () => {
  const { stage } = await filled(3);
  await using _stage = stage;
  stage.stores.fs!.fail({ methods: ["put", "get", "head", "delete"], error: new LarderError("E_STORE_UNAVAILABLE", "away") });
  expect(await stage.migrate({ target: "fs" })).toMatchObject({ ok: true, result: { copied: 0, alreadyThere: 0, blobs: 3 } });
});

test("there and back again: what is still there is hashed and not copied twice", async () => {
  const { stage, keys } = await filled(6);
  await using _stage = stage;
  await stage.migrate({ target: "s3" });
  stage.stores.fs!.damage(keys[0]!);
  const back = await stage.migrate({ target: "fs" });
  expect(back).toMatchObject({ ok: true, result: { copied: 1, alreadyThere: 5 } });
  expect(await activeOf(stage)).toBe("fs");
  for (const key of keys) expect((await stage.read(key)).byteLength).toBe(200);
});

test("torn bytes on the target are found on reading back, and put once more", async () => {
  const { stage, keys } = await filled(3);
  await using _stage = stage;
  stage.stores.s3!.tear(keys[1]!);
  expect(await stage.migrate({ target: "s3", parallel: 1 })).toMatchObject({ ok: true, result: { copied: 3 } });
  expect(stage.stores.s3!.puts).toBe(3 + 1 + 1);
});

test("a target that tears what it takes again and again is not trusted: nothing is recorded there", async () => {
  const { stage, keys } = await filled(3);
  await using _stage = stage;
  const put = stage.stores.s3!.put;
  stage.stores.s3!.put = async (key, ...rest) => {
    if (key === keys[1]) stage.stores.s3!.tear(key);
    return await put(key, ...rest);
  };
  const outcome = await stage.migrate({ target: "s3", parallel: 1 });
  expect(outcome).toMatchObject({ ok: false, error: { code: "E_STORE_UNAVAILABLE" } });
  expect((await getBlobEntry(stage.db.query, keys[1]!))?.store).toBe("fs");
  expect(await activeOf(stage)).toBe("fs");
  stage.stores.s3!.put = put;
  expect(await stage.migrate({ target: "s3" })).toMatchObject({ ok: true });
});

test("wrong bytes that the target had are overwritten, then verified", async () => {
  const { stage, keys } = await filled(4);
  await using _stage = stage;
  const bytes = await stage.read(keys[2]!);
  await stage.stores.s3!.put(
    keys[2]!,
    (async function* () {
      yield bytes;
    })(),
  );
  stage.stores.s3!.damage(keys[2]!);
  expect(await stage.migrate({ target: "s3" })).toMatchObject({ ok: true, result: { copied: 4 } });
});

test("a blob that no store has whole is named, the rest goes on, the active store stays; after it was mended, resuming ends it", async () => {
  const { stage, keys } = await filled(8);
  await using _stage = stage;
  await stage.commit(...keys);
  stage.stores.fs!.damage(keys[3]!);
  await stage.stores.fs!.delete(keys[5]!);
  const outcome = await stage.migrate({ target: "s3" });
  expect(outcome).toMatchObject({ ok: false, error: { code: "E_BLOB_CORRUPT", details: { failed: 2 } } });
  expect(await activeOf(stage)).toBe("fs");
  const found = await status(stage);
  expect(found).toMatchObject({ state: "failed", target: "s3", done: 6, total: 8 });
  expect(found.error).toContain("2 of 8 blobs");
  expect(found.hint).toContain("larder storage verify");
  expect(found.failures?.map(({ blob, code }) => [blob, code]).sort()).toEqual(
    [
      [keys[3], "E_BLOB_CORRUPT"],
      [keys[5], "E_BLOB_MISSING"],
    ].sort() as never,
  );
  expect(found.failures?.[0]?.packages[0]).toMatch(/^p[0-9a-f]{12}@1\.0\.0$/);
  expect((await listQuarantinedBlobs(stage.db.query)).map(({ key }) => key).sort()).toEqual([keys[3]!, keys[5]!].sort());
  // Mended by a copy that another store has.
  for (const key of [keys[3]!, keys[5]!]) await stage.db.query.execute(`delete from blobs where key = '${key}'`);
  expect(await stage.migrate({ target: "s3" })).toMatchObject({ ok: true, result: { blobs: 6 } });
  expect(await activeOf(stage)).toBe("s3");
});

test("a damaged recorded copy is replaced by a good one from a third store", async () => {
  const { stage, keys } = await filled(3);
  await using _stage = stage;
  await stage.migrate({ target: "postgres" });
  stage.stores.postgres!.damage(keys[0]!);
  expect(await stage.migrate({ target: "s3" })).toMatchObject({ ok: true, result: { copied: 3 } });
});

test.each(["E_NO_SPACE", "E_READ_ONLY", "E_PERMISSION"] as const)(
  "a target that answers %s pauses it with the reason",
  async (code) => {
    const { stage, keys } = await filled(10);
    await using _stage = stage;
    stage.stores.s3!.fail({ methods: ["put"], error: new LarderError(code, "No."), after: 4 });
    const outcome = await stage.migrate({ target: "s3", parallel: 1 });
    expect(outcome).toMatchObject({ ok: false, error: { code } });
    const found = await status(stage);
    expect(found).toMatchObject({ state: "failed", done: 3, total: 10 });
    expect(found.error).toContain("paused");
    expect(found.hint).toContain("larder storage resume");
    expect(await activeOf(stage)).toBe("fs");
    expect((await stage.stores.fs!.keys()).sort()).toEqual(keys);
    stage.stores.s3!.fail(undefined);
    expect(await stage.migrate({ target: "s3" })).toMatchObject({ ok: true, result: { copied: 7 } });
  },
);

test("a target that is throttled for a while is waited for", async () => {
  const { stage } = await filled(5);
  await using _stage = stage;
  const error = new LarderError("E_STORE_UNAVAILABLE", "Slow down.", { retryable: true });
  stage.stores.s3!.fail({ methods: ["put"], error, after: 2, times: 2 });
  expect(await stage.migrate({ target: "s3", parallel: 1 })).toMatchObject({ ok: true, result: { copied: 5 } });
});

test("cancelling keeps what was moved; resuming moves the rest", async () => {
  const { stage, keys } = await filled(12);
  await using _stage = stage;
  const stop = new AbortController();
  const put = stage.stores.s3!.put;
  stage.stores.s3!.put = async (...args) => {
    if (stage.stores.s3!.puts === 5) stop.abort(new LarderError("E_CANCELLED", "enough"));
    return await put(...args);
  };
  expect(await stage.migrate({ target: "s3", parallel: 1 }, stop.signal)).toMatchObject({
    ok: false,
    error: { code: "E_CANCELLED" },
  });
  const found = await status(stage);
  expect(found).toMatchObject({ state: "cancelled", total: 12 });
  expect(found.done).toBeGreaterThan(2);
  for (const key of keys) await stage.read(key);
  expect(await stage.migrate({ target: "s3" })).toMatchObject({ ok: true, result: { copied: 12 - found.done } });
});

test("the rate is kept", async () => {
  const { stage } = await filled(10);
  await using _stage = stage;
  const startedAt = performance.now();
  // 2,000 bytes copied and read back.
  expect(await stage.migrate({ target: "s3", bytesPerSecond: 8000 })).toMatchObject({ ok: true });
  expect(performance.now() - startedAt).toBeGreaterThan(350);
});

test("a migration to another target is refused while one is queued; the same one is joined", async () => {
  await using stage = await openStorageStage();
  const ask = (target: string) => requestMigration(stage.db, { input: { target, parallel: 1 }, requestedBy: "test" });
  const first = await ask("s3");
  expect(await ask("s3")).toEqual({ operation: first.operation, joined: true });
  expect(ask("postgres")).rejects.toMatchObject({ code: "E_BUSY" });
});

test("I5: a migration whose election is over records nothing more", async () => {
  const { stage, keys } = await filled(5);
  await using _stage = stage;
  const { operation } = await requestMigration(stage.db, { input: { target: "s3", parallel: 1 }, requestedBy: "test" });
  const stale = await tryElect(stage.db);
  await stale![Symbol.asyncDispose]();
  await using _next = await tryElect(stage.db);
  const handler = createMigrateHandler({ db: stage.db, stores: stage.access, logger: silentLogger });
  const running = handler({ operation, epoch: stale!.epoch, signal: new AbortController().signal, report() {} });
  await expect(running).rejects.toMatchObject({ code: "E_FENCED" });
  for (const key of keys) expect((await getBlobEntry(stage.db.query, key))?.store).toBe("fs");
  expect(await activeOf(stage)).toBe("fs");
  expect(await listStrayBlobs(stage.db.query, { graceMs: 0, limit: 9 })).toEqual([]);
});
