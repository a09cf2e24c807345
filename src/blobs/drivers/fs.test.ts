import { describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openTempDir } from "../../../test/harness/temp-dir.ts";
import type { BlobKey } from "../../contract/index.ts";
import { armFailpoints } from "../../lib/index.ts";
import { testBlobStore } from "../conformance.ts";
import { fsErrorAt } from "../fs-errors.ts";
import { openFsBlobStore } from "./fs.ts";

const pathOf = (directory: string, key: BlobKey) => join(directory, key.slice(0, 2), key.slice(2, 4), key);
const keyOf = (bytes: Uint8Array) => createHash("sha512").update(bytes).digest("hex") as BlobKey;
async function* once(bytes: Uint8Array) {
  yield bytes;
}

describe("the fs blob store", () => {
  testBlobStore(
    async () => {
      const directory = await openTempDir("blobs");
      const open = () => openFsBlobStore(directory.path);
      const damage = async (key: BlobKey) => {
        const path = pathOf(directory.path, key);
        const bytes = await readFile(path);
        bytes[17]! ^= 1;
        await chmod(path, 0o644);
        await writeFile(path, bytes);
      };
      return {
        store: await open(),
        damage,
        reopen: open,
        takeAway: () => rm(directory.path, { recursive: true }),
        [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
      };
    },
    { test, collectGarbage: () => Bun.gc(true), largeMib: 200 },
  );

  test("a shortened file is an error", async () => {
    await using directory = await openTempDir("blobs");
    const store = await openFsBlobStore(directory.path);
    const bytes = randomBytes(1000);
    await store.put(keyOf(bytes), once(bytes));
    const blob = await store.get(keyOf(bytes));
    const path = pathOf(directory.path, keyOf(bytes));
    await chmod(path, 0o644);
    await writeFile(path, bytes.subarray(0, 999));
    await expect(Array.fromAsync(blob!.content)).rejects.toMatchObject({ code: "E_BLOB_CORRUPT" });
    const shorter = await store.get(keyOf(bytes));
    await expect(Array.fromAsync(shorter!.content)).rejects.toMatchObject({ code: "E_BLOB_CORRUPT" });
  });

  test("blobs are read-only files, and a put leaves no draft behind however it ends", async () => {
    await using directory = await openTempDir("blobs");
    const store = await openFsBlobStore(directory.path);
    const bytes = randomBytes(10);
    await store.put(keyOf(bytes), once(bytes));
    expect((await stat(pathOf(directory.path, keyOf(bytes)))).mode & 0o777).toBe(0o444);
    await store.put(keyOf(bytes), once(randomBytes(10))).catch(() => {});
    armFailpoints(() => {
      throw new Error("stopped");
    });
    await store.put(keyOf(bytes), once(bytes)).catch(() => {});
    armFailpoints(undefined);
    expect(await readdir(directory.join("incoming"))).toEqual([]);
  });

  test("I13: drafts of dead processes go when the store is opened, those of live ones stay", async () => {
    await using directory = await openTempDir("blobs");
    await mkdir(directory.join("incoming"));
    for (const [name, ageMs] of [
      ["old", 2 * 3600_000],
      ["young", 60_000],
    ] as const) {
      await writeFile(directory.join("incoming", name), "x");
      await utimes(directory.join("incoming", name), new Date(), new Date(Date.now() - ageMs));
    }
    await openFsBlobStore(directory.path);
    expect(await readdir(directory.join("incoming"))).toEqual(["young"]);
  });

  test("what is not a blob is not listed", async () => {
    await using directory = await openTempDir("blobs");
    const store = await openFsBlobStore(directory.path);
    await mkdir(directory.join("ab/cd"), { recursive: true });
    await writeFile(directory.join("ab/cd/notes.txt"), "x");
    await writeFile(directory.join("README"), "x");
    expect(await Array.fromAsync(store.list())).toEqual([]);
  });

  test("a key that is none cannot leave the directory", async () => {
    await using directory = await openTempDir("blobs");
    const store = await openFsBlobStore(directory.path);
    await expect(store.head("../../etc/passwd" as BlobKey)).rejects.toMatchObject({ code: "E_INPUT" });
  });

  test("the file system's refusals have codes of their own and name the directory", async () => {
    for (const [errno, code] of [
      ["ENOSPC", "E_NO_SPACE"],
      ["EROFS", "E_READ_ONLY"],
      ["EACCES", "E_PERMISSION"],
      ["EIO", "E_STORE_UNAVAILABLE"],
    ] as const) {
      const error = fsErrorAt("/blobs", Object.assign(new Error("x"), { code: errno }));
      expect(error).toMatchObject({ code, message: expect.stringContaining("/blobs") as string });
    }
    await using directory = await openTempDir("blobs");
    await writeFile(directory.join("file"), "x");
    await expect(openFsBlobStore(directory.join("file"))).rejects.toMatchObject({ code: "E_CONFIG" });
  });
});
