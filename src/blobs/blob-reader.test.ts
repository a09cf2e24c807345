import { afterEach, beforeEach, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { until } from "../../test/harness/until.ts";
import { type BlobKey, LarderError } from "../contract/index.ts";
import { type Db, getQuarantinedStores, listQuarantinedBlobs, openDatabase, putBlobEntry } from "../db/index.ts";
import { silentLogger } from "../lib/index.ts";
import { type BlobReader, createBlobReader } from "./blob-reader.ts";
import type { BlobStore } from "./blob-store.ts";
import { type BlobStores, createBlobStores } from "./blob-stores.ts";
import { createMemoryBlobStore } from "./drivers/memory.ts";

const bytes = randomBytes(700_000);
const key = createHash("sha512").update(bytes).digest("hex") as BlobKey;
const blob = { key, store: "one", sizeBytes: bytes.byteLength };
async function* once(content: Uint8Array) {
  yield content;
}

let db: Db;
let stores: BlobStores;
let reader: BlobReader;
let contents: Record<"one" | "two", Map<BlobKey, Uint8Array>>;
let down: Set<string>;

beforeEach(async () => {
  db = await openDatabase({ memory: true });
  contents = { one: new Map(), two: new Map() };
  down = new Set();
  stores = createBlobStores({ one: async () => named("one"), two: async () => named("two") });
  reader = createBlobReader({ db, stores, logger: silentLogger });
  await putBlobEntry(db.query, blob);
  await (await stores.open("one")).put(key, once(bytes));
});
afterEach(async () => {
  await reader[Symbol.asyncDispose]();
  await stores[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

function named(name: "one" | "two"): BlobStore {
  const store = createMemoryBlobStore(contents[name]);
  const unlessDown = <T>(task: () => Promise<T>): Promise<T> => {
    if (down.has(name)) throw new LarderError("E_STORE_UNAVAILABLE", `${name} is down.`, { retryable: true });
    return task();
  };
  return {
    ...store,
    name,
    get: (...args) => unlessDown(() => store.get(...args)),
    put: (...args) => unlessDown(() => store.put(...args)),
  };
}

const damage = (name: "one" | "two") => {
  const copy = Buffer.from(contents[name].get(key)!);
  copy[300_000]! ^= 1;
  contents[name].set(key, copy);
};
const putInto = async (name: "two") => await (await stores.open(name)).put(key, once(bytes));
const read = async () => (await reader.read(blob)) && Buffer.compare((await reader.read(blob))!, bytes) === 0;
const streamed = async () => Buffer.concat(await Array.fromAsync((await reader.get(blob))!.content));
const bad = async () => (await getQuarantinedStores(db.query, [key])).get(key) ?? [];

test("a blob comes from the store that it is recorded in, whole or in part", async () => {
  expect(await read()).toBe(true);
  expect(Buffer.concat(await Array.fromAsync((await reader.get(blob, { start: 5, end: 10 }))!.content))).toEqual(
    bytes.subarray(5, 10),
  );
  await expect(reader.get(blob, { start: 2, end: 1 })).rejects.toMatchObject({ code: "E_INPUT" });
  expect(await bad()).toEqual([]);
});

test("a copy that is gone is read from another store, and put back", async () => {
  await putInto("two");
  contents.one.clear();
  expect(await streamed()).toEqual(bytes);
  await until("it is mended", () => contents.one.has(key));
  await until("and released", async () => (await bad()).length === 0);
  contents.two.clear();
  expect(await read()).toBe(true);
});

test("I3: a damaged copy is never given out whole; a small read does not notice, a stream fails once", async () => {
  await putInto("two");
  damage("one");
  await expect(streamed()).rejects.toMatchObject({ code: "E_BLOB_CORRUPT" });
  expect(await streamed()).toEqual(bytes);
  await until("it is mended", async () => (await bad()).length === 0);
  expect(Buffer.compare(contents.one.get(key)!, bytes)).toBe(0);
  damage("one");
  expect(await read()).toBe(true);
});

test.each([
  ["shorter", bytes.subarray(0, 10)],
  ["longer", Buffer.concat([bytes, bytes])],
  ["empty", new Uint8Array()],
  ["another's", randomBytes(700_000)],
])("a copy that is %s is no copy", async (_, wrong) => {
  await putInto("two");
  contents.one.set(key, Buffer.from(wrong));
  expect(await read()).toBe(true);
  await until("it is mended", async () => (await bad()).length === 0);
  expect(Buffer.compare(contents.one.get(key)!, bytes)).toBe(0);
});

test("a bad copy that nothing can mend stays out of sight until good bytes are put there", async () => {
  damage("one");
  await expect(reader.read(blob)).rejects.toMatchObject({ code: "E_BLOB_CORRUPT" });
  expect(await reader.get(blob)).toBeUndefined();
  expect(await reader.link(blob)).toBeUndefined();
  expect(await listQuarantinedBlobs(db.query)).toMatchObject([{ key, store: "one", reason: "corrupt" }]);
  await (await stores.open("one")).put(key, once(bytes));
  await putBlobEntry(db.query, blob);
  expect(await read()).toBe(true);
});

test("two bad copies do not mend each other", async () => {
  await putInto("two");
  damage("one");
  damage("two");
  await expect(reader.read(blob)).rejects.toMatchObject({ code: "E_BLOB_CORRUPT" });
  expect((await bad()).sort()).toEqual(["one", "two"]);
  expect(await reader.read(blob)).toBeUndefined();
});

test("a store that is down says nothing of its blobs", async () => {
  down.add("one");
  await expect(reader.get(blob)).rejects.toMatchObject({ code: "E_STORE_UNAVAILABLE" });
  await putInto("two");
  expect(await streamed()).toEqual(bytes);
  expect(await bad()).toEqual([]);
});

test("a copy that was rightly removed after its row moved is not taken for lost", async () => {
  await putInto("two");
  await putBlobEntry(db.query, { ...blob, store: "two" });
  contents.one.clear();
  expect(await streamed()).toEqual(bytes);
  expect(await bad()).toEqual([]);
});

test("a store that nobody configured is passed over", async () => {
  await putInto("two");
  expect(await reader.read({ ...blob, store: "tape" })).toEqual(bytes);
});
