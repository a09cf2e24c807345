import { describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LarderError } from "../contract/index.ts";
import { currentTree } from "./current-tree.ts";
import { describeDiskError } from "./disk-error.ts";
import { flipCurrent } from "./flip.ts";
import { acquireLease } from "./lease.ts";
import { failureOf, fixture, openTestStore, type TestStore } from "./store-fixture.test-support.ts";
import { verifyStore } from "./verify.ts";

const errno = (code: string, path?: string) => Object.assign(new Error(code), { code, ...(path ? { path } : {}) });

describe("a disk's error", () => {
  test.each([
    ["ENOSPC", "E_NO_SPACE"],
    ["EDQUOT", "E_NO_SPACE"],
    ["EROFS", "E_READ_ONLY"],
    ["EACCES", "E_PERMISSION"],
    ["EPERM", "E_PERMISSION"],
    ["EIO", "E_STORE_UNAVAILABLE"],
    ["EMFILE", "E_STORE_UNAVAILABLE"],
    ["ENFILE", "E_STORE_UNAVAILABLE"],
  ])("%s is told with its path and a way out, and may pass by itself", (code, expected) => {
    const told = describeDiskError(errno(code, "/store/packages/x"), "/store") as LarderError;
    expect(told).toMatchObject({ code: expected, retryable: true, details: { path: "/store/packages/x" } });
    expect(told.message).toContain("/store/packages/x");
    expect(told.hint).toBeString();
    expect((describeDiskError(errno(code), "/store") as LarderError).message).toContain("/store");
  });

  test("of another kind, or told already, stays as it is", () => {
    for (const error of [errno("EINVAL"), new LarderError("E_INTEGRITY", "x"), "text"])
      expect(describeDiskError(error, "/store")).toBe(error);
  });
});

const files = (bytes: number) => ({ "big.js": "x".repeat(bytes) });
const small = fixture({ a: "a@1.0.0" }, { "a@1.0.0": {} });
const large = fixture({ a: "a@1.0.0", b: "b@1.0.0" }, { "a@1.0.0": {}, "b@1.0.0": { files: files(900_000) } });
const many = fixture(
  { b: "b@2.0.0" },
  { "b@2.0.0": { files: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}`, ""])) } },
);

/** A disk of its own: needs root on Linux. */
const mayMount = process.platform === "linux" && process.getuid?.() === 0 && (await tryMount());
async function tryMount(): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), "larder-disk-"));
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", directory]).success;
  if (mounted) Bun.spawnSync(["umount", directory]);
  await rm(directory, { recursive: true });
  return mounted;
}

describe.skipIf(!mayMount)("on a disk", () => {
  async function onDisk(options: string, use: (host: TestStore, directory: string) => Promise<void>): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), "larder-disk-"));
    Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `mode=755,${options}`, "tmpfs", directory]);
    try {
      await using host = await openTestStore({ directory: join(directory, "data") });
      await host.build(small);
      await flipCurrent(host.writer, { generation: 1, lockfileHash: small.lockfileHash });
      await use(host, directory);
    } finally {
      Bun.spawnSync(["umount", "-l", directory]);
      await rm(directory, { recursive: true });
    }
  }

  async function expectOldTreeServes(host: TestStore): Promise<void> {
    expect(await currentTree(host.store)).toMatchObject({ generation: 1, lockfileHash: small.lockfileHash });
    expect((await verifyStore(host.store)).problems).toEqual([]);
    expect(await readdir(host.store.layout.incoming)).toEqual([]);
  }

  test("without room a build fails by name, the old tree serves, and it works once there is room", () =>
    onDisk("size=700k", async (host, directory) => {
      expect((await failureOf(host.build(large))).code).toBe("E_NO_SPACE");
      await expectOldTreeServes(host);
      Bun.spawnSync(["mount", "-o", "remount,size=4m", directory]);
      await host.build(large);
      await flipCurrent(host.writer, { generation: 2, lockfileHash: large.lockfileHash });
      expect((await verifyStore(host.store)).intact).toBe(true);
    }));

  test("without inodes a build fails by name, and the old tree serves", () =>
    onDisk("nr_inodes=200", async (host) => {
      expect((await failureOf(host.build(many))).code).toBe("E_NO_SPACE");
      await expectOldTreeServes(host);
    }));

  test("that is full to the last byte, not even a flip is half done", () =>
    onDisk("size=2m", async (host, directory) => {
      await host.build(large);
      await writeFile(join(directory, "filler"), Buffer.alloc(4_000_000)).catch(() => {});
      expect((await failureOf(flipCurrent(host.writer, { generation: 2, lockfileHash: large.lockfileHash }))).code).toBe(
        "E_NO_SPACE",
      );
      await expectOldTreeServes(host);
      const lease = await acquireLease(host.store, { purpose: "a script runs all the same" });
      expect(lease?.tree.generation).toBe(1);
      await lease?.[Symbol.asyncDispose]();
    }));

  test("that turned read-only a build fails by name, and the old tree serves", () =>
    onDisk("size=4m", async (host, directory) => {
      Bun.spawnSync(["mount", "-o", "remount,ro", directory]);
      try {
        expect((await failureOf(host.build(large))).code).toBe("E_READ_ONLY");
        await expectOldTreeServes(host);
      } finally {
        Bun.spawnSync(["mount", "-o", "remount,rw", directory]);
      }
    }));
});
