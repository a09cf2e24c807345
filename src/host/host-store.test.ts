import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, mkdir, realpath, symlink } from "node:fs/promises";
import { join } from "node:path";
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

  test("is refused when everyone may write to it, with the command that mends it", async () => {
    await mkdir(temp.join("open"));
    await chmod(temp.join("open"), 0o777);
    const opening = openHostStore({ directory: temp.join("open") });
    expect(opening).rejects.toMatchObject({ code: "E_PERMISSION", hint: expect.stringContaining("chmod o-w") });
    await opening.catch(() => undefined);
  });

  test("is refused when one of its folders is a symbolic link: what it points at may be anybody's", async () => {
    await mkdir(temp.join("data"));
    await mkdir(temp.join("elsewhere"));
    await symlink(temp.join("elsewhere"), join(temp.path, "data", "trees"));
    const opening = openHostStore({ directory: temp.join("data") });
    expect(opening).rejects.toMatchObject({ code: "E_CONFIG", message: expect.stringContaining("trees") });
    await opening.catch(() => undefined);
  });
});
