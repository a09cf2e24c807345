import { expect, test } from "bun:test";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { openTempDir } from "../../test/harness/temp-dir.ts";
import { openControlDirectory } from "./open-control-directory.ts";
import { refusalOf } from "./testing/test-server.ts";

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

test.each([0o000, 0o022, 0o077])(
  "under any umask others may not write to what it makes, nor look into control",
  async (umask) => {
    await using dir = await openTempDir();
    const before = process.umask(umask);
    try {
      await openControlDirectory(dir.join("new", "data"));
    } finally {
      process.umask(before);
    }
    expect((await stat(dir.join("new", "data"))).mode & 0o022).toBe(0);
    expect(await modeOf(dir.join("new", "data", "control"))).toBe("700");
  },
);

test("a control directory that was made for all is for this user only from then on", async () => {
  await using dir = await openTempDir();
  await mkdir(dir.join("control"), { mode: 0o755 });
  expect(await openControlDirectory(dir.path)).toBe(dir.join("control"));
  expect(await modeOf(dir.join("control"))).toBe("700");
});

test("a place that cannot be a data directory is named, with what is wrong and the way out", async () => {
  await using dir = await openTempDir();
  await writeFile(dir.join("file"), "");
  const paths = [dir.join("file"), dir.join("file", "below"), dir.join("x".repeat(300))];
  if (process.platform === "linux") paths.push("/proc/larder");
  for (const path of paths) {
    const refusal = await refusalOf(openControlDirectory(path));
    expect([path, refusal.code]).toEqual([path, "E_CONFIG"]);
    expect(refusal.message).toContain(`${path} cannot be used as data directory`);
    expect(refusal.hint).toContain("--data-dir");
  }
});
