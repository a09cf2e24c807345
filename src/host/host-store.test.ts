import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, realpath, symlink } from "node:fs/promises";
import { openTempDir, type TempDir } from "../../test/harness/temp-dir.ts";
import { openHostStore } from "./host-store.ts";
import { openStoreWriter } from "./store-writer.ts";

let temp: TempDir;
beforeEach(async () => {
  temp = await openTempDir("host-store");
});
afterEach(() => temp[Symbol.asyncDispose]());

describe("a store's directory", () => {
  test("may be reached through a symbolic link, and is one store by either name", async () => {
    await mkdir(temp.join("real"));
    await symlink("real", temp.join("link"));
    await using store = await openHostStore({ directory: temp.join("link") });
    expect(store.directory).toBe(await realpath(temp.join("real")));
    await using _writer = await openStoreWriter(store, { purpose: "the first" });
    await using again = await openHostStore({ directory: temp.join("real") });
    expect(openStoreWriter(again, { purpose: "the second" })).rejects.toThrow(/in use: the first/);
  });
});
