import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdir, readdir, truncate, writeFile } from "node:fs/promises";
import { openTempDir, type TempDir } from "../../test/harness/temp-dir.ts";
import { testUnless } from "../../test/harness/test-unless.ts";
import type { PackageName } from "../contract/index.ts";
import { assertDistinctNames } from "./assert-distinct-names.ts";
import { openHostStore } from "./host-store.ts";
import type { PackageKey } from "./layout.ts";
import type { PackageLink, TreePlan } from "./plan-tree.ts";
import { openStoreWriter } from "./store-writer.ts";

const run = (command: string, ...args: string[]) => spawnSync(command, args, { encoding: "utf8", timeout: 20_000 });

/** A file system that folds names, from Debian's ntfs-3g; another without links, from exfat-fuse and exfatprogs. */
const strangers = {
  ntfs: { make: ["mkfs.ntfs", "-F", "-Q", "-q"], mount: ["lowntfs-3g", "-o", "ignore_case,umask=022"] },
  exfat: { make: ["mkfs.exfat"], mount: ["mount.exfat-fuse", "-o", "umask=022"] },
} as const;

function whyNot(kind: keyof typeof strangers): string | undefined {
  const { make, mount } = strangers[kind];
  const missing = [make[0], mount[0], "losetup"].find((command) => Bun.which(command) === null);
  if (missing) return `${missing} is not installed`;
  return process.getuid?.() === 0 ? undefined : "only root mounts";
}

async function mountStranger(kind: keyof typeof strangers, temp: TempDir): Promise<AsyncDisposable & { path: string }> {
  const { make, mount } = strangers[kind];
  const [image, path] = [temp.join("image"), temp.join("mounted")];
  await writeFile(image, "");
  await truncate(image, 64 * 2 ** 20);
  await mkdir(path);
  const device = run("losetup", "--find", "--show", image).stdout.trim();
  const undo = () => [run("umount", path), run("losetup", "--detach", device)];
  for (const [command, ...args] of [
    [...make, device],
    [...mount, device, path],
  ] as [string, ...string[]][]) {
    const { status, stderr } = run(command, ...args);
    if (status === 0) continue;
    undo();
    throw new Error(`${command}: ${stderr}`);
  }
  return { path, [Symbol.asyncDispose]: async () => void undo() };
}

describe("a store", () => {
  test("knows an ordinary file system by trying, and leaves nothing behind", async () => {
    await using temp = await openTempDir("probe");
    await using store = await openHostStore({ directory: temp.join("data") });
    await using writer = await openStoreWriter(store, { purpose: "test" });
    expect(writer.traits).toEqual({ caseSensitive: process.platform === "linux" });
    expect(await readdir(store.layout.incoming)).toEqual([]);
  });

  for (const [kind, says] of [
    ["ntfs", /changes the names of files/],
    ["exfat", /has no symbolic links/],
  ] as const) {
    testUnless(whyNot(kind), `refuses a file system that cannot hold it, with the reason (${kind})`, async () => {
      await using temp = await openTempDir("probe");
      await using stranger = await mountStranger(kind, temp);
      await using store = await openHostStore({ directory: `${stranger.path}/data` });
      const opening = openStoreWriter(store, { purpose: "test" });
      expect(opening).rejects.toMatchObject({ code: "E_CONFIG", hint: expect.stringContaining("--data-dir") });
      expect(opening).rejects.toThrow(says);
      await opening.catch(() => undefined);
    });
  }
});

describe("names that differ in case alone", () => {
  const link = (alias: string): PackageLink => ({
    alias: alias as PackageName,
    key: "k" as PackageKey,
    name: alias as PackageName,
  });
  const plan = (roots: string[], links: string[]) =>
    ({ roots: roots.map(link), packages: [{ name: "owner", version: "1.0.0", links: links.map(link) }] }) as unknown as TreePlan;

  test("are refused by their names where the file system takes them for one", () => {
    expect(() => assertDistinctNames(plan(["JSONStream", "jsonstream"], []))).toThrow(
      /allowlist needs both JSONStream and jsonstream/,
    );
    expect(() => assertDistinctNames(plan([], ["@Acme/x", "@acme/x"]))).toThrow(/owner@1.0.0 needs both/);
    expect(() => assertDistinctNames(plan(["a", "b"], ["a", "b"]))).not.toThrow();
  });
});
