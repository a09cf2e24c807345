import { expect, test } from "bun:test";
import { openInstallStage } from "../../../test/harness/install-stage.ts";
import { openStorageStage } from "../../../test/harness/storage-stage.ts";
import { LarderError } from "../../contract/index.ts";
import { getBlobEntry, listQuarantinedBlobs } from "../../db/index.ts";

test("every blob is read; those that are right are marked, and left out when they were verified lately", async () => {
  await using stage = await openStorageStage();
  const keys = [await stage.addBlob(), await stage.addBlob(), await stage.addBlob()];
  const outcome = await stage.audit();
  expect(outcome).toMatchObject({ ok: true, result: { checked: 3, checkedBytes: 600, repaired: 0, broken: 0, troubles: [] } });
  expect(outcome.progress.at(-1)).toMatchObject({ phase: "verify", done: 3, total: 3, doneBytes: 600, totalBytes: 600 });
  for (const key of keys) expect((await getBlobEntry(stage.db.query, key))?.verifiedAt).toMatch(/Z$/);
  await stage.addBlob();
  const since = new Date(Date.now() - 60_000).toISOString();
  expect(await stage.audit({ since })).toMatchObject({ result: { checked: 1 } });
});

test("what is damaged or gone is put back from another store, and released from quarantine", async () => {
  await using stage = await openStorageStage();
  const [damaged, gone] = [await stage.addBlob(), await stage.addBlob()];
  await stage.addBlob();
  await stage.migrate({ target: "s3" });
  stage.stores.s3!.damage(damaged!);
  await stage.stores.s3!.delete(gone!);
  const outcome = await stage.audit();
  expect(outcome).toMatchObject({ result: { checked: 3, repaired: 2, broken: 0 } });
  expect(outcome.ok && outcome.result.troubles.map(({ blob, code, repaired }) => [blob, code, repaired]).sort()).toEqual(
    [
      [damaged, "E_BLOB_CORRUPT", true],
      [gone, "E_BLOB_MISSING", true],
    ].sort() as never,
  );
  expect(await listQuarantinedBlobs(stage.db.query)).toEqual([]);
  expect(await stage.audit()).toMatchObject({ result: { repaired: 0, broken: 0 } });
});

test("what nobody has whole is listed with its packages, stays quarantined, and is looked at again by the next one", async () => {
  await using stage = await openStorageStage();
  const key = await stage.addBlob();
  await stage.commit(key, await stage.addBlob());
  stage.stores.fs!.damage(key);
  const outcome = await stage.audit();
  expect(outcome).toMatchObject({
    ok: true,
    result: { checked: 2, broken: 1, troubles: [{ blob: key, store: "fs", code: "E_BLOB_CORRUPT", repaired: false }] },
  });
  expect(outcome.ok && outcome.result.troubles[0]?.packages).toEqual([`p${key.slice(0, 12)}@1.0.0`]);
  expect(await listQuarantinedBlobs(stage.db.query)).toMatchObject([{ key, store: "fs", reason: "corrupt" }]);
  const since = new Date(Date.now() - 60_000).toISOString();
  expect(await stage.audit({ since })).toMatchObject({ result: { checked: 1, broken: 1 } });
});

test("it comes from the registry when no store has it", async () => {
  await using source = await openInstallStage([{ name: "a", version: "1.0.0", files: { "index.js": "module.exports = 1;" } }]);
  await source.allow("a@1.0.0");
  await source.installed();
  const found = await Array.fromAsync(source.blobs.list());
  await using stage = await openStorageStage({ registry: source.client(), database: source.db, election: source.election });
  const key = found[0]!.key;
  expect(await stage.audit()).toMatchObject({
    result: { checked: 1, repaired: 1, troubles: [{ message: expect.stringContaining("the registry (a@1.0.0)") }] },
  });
  expect((await stage.read(key)).byteLength).toBe(found[0]!.sizeBytes);
});

test("a store that does not answer fails the audit; nothing is condemned for it", async () => {
  await using stage = await openStorageStage();
  for (let i = 0; i < 4; i++) await stage.addBlob();
  stage.stores.fs!.fail({ methods: ["get"], error: new LarderError("E_STORE_UNAVAILABLE", "Away."), after: 2 });
  expect(await stage.audit({ parallel: 1 })).toMatchObject({ ok: false, error: { code: "E_STORE_UNAVAILABLE" } });
  expect(await listQuarantinedBlobs(stage.db.query)).toEqual([]);
  stage.stores.fs!.fail(undefined);
  const since = new Date(Date.now() - 60_000).toISOString();
  expect(await stage.audit({ since })).toMatchObject({ ok: true, result: { checked: 2 } });
});
