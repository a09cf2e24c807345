import { expect, test } from "bun:test";
import type { BlobKey } from "../contract/index.ts";
import { createRecentBlobs } from "./recent-blobs.ts";

const keyOf = (name: string) => name as BlobKey;
const bytesOf = (sizeBytes: number) => new Uint8Array(sizeBytes);

test("keeps what was used last, within its limit", () => {
  const recent = createRecentBlobs({ limitBytes: 100 });
  for (const name of ["a", "b", "c", "d"]) recent.keep(keyOf(name), bytesOf(25));
  recent.get(keyOf("a"));
  recent.keep(keyOf("e"), bytesOf(25));
  expect(["a", "b", "c", "d", "e"].filter((name) => recent.get(keyOf(name)))).toEqual(["a", "c", "d", "e"]);
});

test("does not give all of its room to one", () => {
  const recent = createRecentBlobs({ limitBytes: 100 });
  recent.keep(keyOf("small"), bytesOf(10));
  recent.keep(keyOf("large"), bytesOf(26));
  expect([recent.get(keyOf("small"))?.length, recent.get(keyOf("large"))]).toEqual([10, undefined]);
});

test("counts a blob that is kept again once", () => {
  const recent = createRecentBlobs({ limitBytes: 100 });
  for (let round = 0; round < 10; round++) recent.keep(keyOf("a"), bytesOf(25));
  for (const name of ["b", "c", "d"]) recent.keep(keyOf(name), bytesOf(25));
  expect(["a", "b", "c", "d"].every((name) => recent.get(keyOf(name)))).toBe(true);
});
