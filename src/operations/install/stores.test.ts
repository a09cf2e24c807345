import { afterEach, beforeEach, expect, test } from "bun:test";
import { type InstallStage, openInstallStage } from "../../../test/harness/install-stage.ts";
import { type BlobStores, createBlobStores, openBlobStore } from "../../blobs/index.ts";
import { type BlobKey, blobKeyOf, type Integrity } from "../../contract/index.ts";
import { getBlobEntry, listQuarantinedBlobs, quarantineBlob, setActiveStore } from "../../db/index.ts";

let stage: InstallStage;
let stores: BlobStores;
let key: BlobKey;

beforeEach(async () => {
  stage = await openInstallStage([{ name: "lib", version: "1.0.0" }]);
  const memory = await openBlobStore({ driver: "memory" });
  stores = createBlobStores({ fs: async () => stage.blobs, memory: async () => memory });
  key = blobKeyOf(stage.registry.get("lib", "1.0.0").integrity as Integrity);
  await stage.allow("lib@1.0.0");
  await stage.installed({ stores });
});
afterEach(() => stage[Symbol.asyncDispose]());

const entry = () => getBlobEntry(stage.db.query, key);

test("a blob that is known to be bad is fetched again, and is good from then on", async () => {
  await quarantineBlob(stage.db.query, { key, store: "fs", reason: "corrupt" });
  expect(await stage.installed({ stores })).toMatchObject({ generation: 1, changed: false, fetched: 1 });
  expect(await listQuarantinedBlobs(stage.db.query)).toEqual([]);
  expect(await stage.installed({ stores })).toMatchObject({ fetched: 0 });
});

test("what is fetched goes to the store that is active when the install runs, and its row with it", async () => {
  await setActiveStore(stage.db.query, "memory");
  expect(await stage.installed({ stores })).toMatchObject({ fetched: 0 });
  expect(await entry()).toMatchObject({ store: "fs" });
  await stage.blobs.delete(key);
  expect(await stage.installed({ stores })).toMatchObject({ fetched: 1 });
  expect(await entry()).toMatchObject({ store: "memory" });
});

test("what another store holds need not be fetched", async () => {
  const copy = await stage.blobs.get(key);
  await (await stores.open("memory")).put(key, copy!.content);
  await stage.blobs.delete(key);
  expect(await stage.installed({ stores })).toMatchObject({ fetched: 0 });
  await quarantineBlob(stage.db.query, { key, store: "memory", reason: "corrupt" });
  expect(await stage.installed({ stores })).toMatchObject({ fetched: 1 });
});

test("I12: a blob that cannot be read back gets no row", async () => {
  await stage.blobs.delete(key);
  await stage.db.query.execute("delete from blobs");
  const forgetful = { ...stage.blobs, put: async () => ({ sizeBytes: 1 }) };
  const outcome = await stage.install({ blobs: forgetful });
  expect(outcome).toMatchObject({
    ok: false,
    error: { code: "E_STORE_UNAVAILABLE", message: expect.stringContaining("lib@1.0.0") },
  });
  expect(await entry()).toBeUndefined();
  expect(await stage.installed({ stores })).toMatchObject({ fetched: 1 });
});
