import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { until } from "../../../test/harness/until.ts";
import type { BlobKey } from "../../contract/index.ts";
import { type Db, type Election, getBlobEntries, listPackageTypes, openDatabase } from "../../db/index.ts";
import { type BlobNote, createBlobNotes } from "./note-blobs.ts";

let db: Db;
let election: Election;
beforeAll(async () => {
  db = await openDatabase({ memory: true });
  election = (await db.elect()) as Election;
}, 60_000);
afterAll(() => db[Symbol.asyncDispose](), 20_000);

const keyOf = (text: string) => createHash("sha512").update(text).digest("hex") as BlobKey;
const noteOf = (text: string): BlobNote => ({
  key: keyOf(text),
  label: `${text}@1.0.0`,
  sizeBytes: text.length,
  types: { key: keyOf(`types of ${text}`), content: Buffer.from(text) },
});

/** Tells what it was told, and how many transactions it took. */
function watched(epoch: number) {
  const seen = { noted: [] as string[], failed: [] as unknown[], transactions: 0 };
  const counting: Db = {
    ...db,
    transaction(fn) {
      seen.transactions += 1;
      return db.transaction(fn);
    },
  };
  const notes = createBlobNotes({
    db: counting,
    store: "fs",
    epoch,
    onNoted: ({ label }) => seen.noted.push(label),
    onFailed: (error) => seen.failed.push(error),
  });
  return { seen, notes };
}

test("blobs that come together get their rows together, each with its declarations", async () => {
  const { seen, notes } = watched(election.epoch);
  const all = Array.from({ length: 10 }, (_, i) => noteOf(`together-${i}`));
  await Promise.all(all.map((note) => notes.add(note)));
  expect(seen.noted).toEqual([]);
  await notes.settle();
  expect(seen.noted).toEqual(all.map(({ label }) => label));
  expect(seen.transactions).toBe(1);
  const keys = all.map(({ key }) => key);
  expect((await getBlobEntries(db.query, keys)).size).toBe(10);
  expect((await listPackageTypes(db.query, keys)).length).toBe(10);
});

test("a row does not wait for others to come", async () => {
  const { seen, notes } = watched(election.epoch);
  await notes.add(noteOf("alone"));
  await until("its row is there", async () => (await getBlobEntries(db.query, [keyOf("alone")])).size === 1);
  await notes.settle();
  expect(seen.noted).toEqual(["alone@1.0.0"]);
});

test("many at once are written in several transactions, and adding waits meanwhile", async () => {
  const { seen, notes } = watched(election.epoch);
  for (let i = 0; i < 64; i++) await notes.add(noteOf(`many-${i}`));
  expect(seen.noted.length).toBe(64);
  await notes.add(noteOf("many-64"));
  await notes.settle();
  expect([seen.noted.length, seen.transactions]).toEqual([65, 2]);
});

test("I5: who lost the election writes no row, is told so, and writes none afterwards", async () => {
  const { seen, notes } = watched(election.epoch - 1);
  await notes.add(noteOf("fenced"));
  await expect(notes.settle()).rejects.toMatchObject({ code: "E_FENCED" });
  expect(seen.failed).toMatchObject([{ code: "E_FENCED" }]);
  await notes.add(noteOf("later"));
  await expect(notes.settle()).rejects.toMatchObject({ code: "E_FENCED" });
  expect(seen.noted).toEqual([]);
  expect((await getBlobEntries(db.query, [keyOf("fenced"), keyOf("later")])).size).toBe(0);
});
