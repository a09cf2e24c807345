import { describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { detectPlatform } from "./detect-platform.ts";
import { openHostStore } from "./host-store.ts";
import { failureOf, linux, openTestStore } from "./store-fixture.test-support.ts";
import { openStoreWriter } from "./store-writer.ts";

describe("a store's writer", () => {
  test("is alone; the next one is told who holds the store, or waits for it", async () => {
    await using host = await openTestStore();
    const failure = await failureOf(openStoreWriter(host.store, { purpose: "second" }));
    expect(failure.code).toBe("E_LOCKED");
    expect(failure.message).toContain(`test (process ${process.pid}`);
    const waiting = openStoreWriter(host.store, { purpose: "second", waitMs: 10_000 });
    await host.writer[Symbol.asyncDispose]();
    await (await waiting)[Symbol.asyncDispose]();
  });

  test("clears what a killed one left half-made", async () => {
    await using host = await openTestStore();
    await host.writer[Symbol.asyncDispose]();
    const { incoming, leases } = host.store.layout;
    await mkdir(join(incoming, "x/y"), { recursive: true });
    await writeFile(join(leases, `${"a".repeat(64)}.condemned`), "");
    const { state } = host.store.layout;
    await writeFile(join(state, ".flips.json.0a1b.tmp"), "{");
    await mkdir(join(state, "manifests"), { recursive: true });
    await writeFile(join(state, "manifests", ".f00.json.0a1b.tmp"), "{");
    await (await openStoreWriter(host.store, { purpose: "next" }))[Symbol.asyncDispose]();
    expect([await readdir(incoming), await readdir(leases)]).toEqual([[], []]);
    expect((await readdir(state, { recursive: true })).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("runs its tasks one after the other, a failed one included", async () => {
    await using host = await openTestStore();
    const order: string[] = [];
    const task = (name: string, fails = false) =>
      host.writer.exclusive(async () => {
        order.push(`${name} begins`);
        await Bun.sleep(2);
        order.push(`${name} ends`);
        if (fails) throw new Error(name);
      });
    const outcomes = await Promise.allSettled([task("a", true), task("b")]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    expect(order).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  });
});

describe("opening a store", () => {
  test("makes its folders, and finds the real path behind links", async () => {
    const base = await mkdtemp(join(tmpdir(), "larder-host-"));
    await mkdir(join(base, "real"));
    await symlink("real", join(base, "link"));
    await using store = await openHostStore({ directory: join(base, "link/data"), platform: linux });
    expect(store.directory).toEndWith("/real/data");
    expect((await readdir(store.directory)).sort()).toEqual([
      "incoming",
      "leases",
      "packages",
      "runs",
      "state",
      "trash",
      "trees",
    ]);
    await rm(base, { recursive: true });
  });

  test("refuses a directory that everyone may write, and folders that are links", async () => {
    const base = await mkdtemp(join(tmpdir(), "larder-host-"));
    await chmod(base, 0o777);
    expect(await failureOf(openHostStore({ directory: base, platform: linux }))).toMatchObject({
      code: "E_PERMISSION",
      hint: expect.stringContaining("chmod"),
    });
    await chmod(base, 0o755);
    await symlink("/tmp", join(base, "packages"));
    expect((await failureOf(openHostStore({ directory: base, platform: linux }))).code).toBe("E_CONFIG");
    await rm(base, { recursive: true });
  });

  test("on a path that is a file, or below one, fails with a named path", async () => {
    const base = await mkdtemp(join(tmpdir(), "larder-host-"));
    await writeFile(join(base, "file"), "");
    await expect(openHostStore({ directory: join(base, "file"), platform: linux })).rejects.toThrow("file");
    await rm(base, { recursive: true });
  });

  test("without a platform takes this machine's", () => {
    const platform = detectPlatform();
    expect([platform.os as string, platform.cpu as string]).toEqual([process.platform, process.arch]);
    if (process.platform === "linux") expect(["glibc", "musl"]).toContain(platform.libc ?? "");
  });
});
