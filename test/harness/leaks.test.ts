import { expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertNoLeftovers, countSockets, leftoversIn, watchTempDir } from "./leaks.ts";
import { openTempDir } from "./temp-dir.ts";

test("leftovers are work in progress and temporary files, not what packages contain", async () => {
  await using dir = await openTempDir();
  await assertNoLeftovers(dir.path);
  for (const folder of ["control/scratch", "leases", "packages/k/node_modules/p", "state"]) {
    await mkdir(dir.join(folder), { recursive: true });
  }
  await assertNoLeftovers(dir.path);
  for (const file of ["control/scratch/install-1", "state/.accepted.json.12.tmp", "packages/k/node_modules/p/.x.tmp"]) {
    await writeFile(dir.join(file), "");
  }
  expect(await leftoversIn(dir.path)).toEqual(["control/scratch/install-1", "state/.accepted.json.12.tmp"]);
  await expect(assertNoLeftovers(dir.path)).rejects.toThrow("install-1");
});

test("an open socket is counted while it is open", async () => {
  const before = await countSockets();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  expect(await countSockets()).toBe(before + 1);
  await new Promise((resolve) => server.close(resolve));
  expect(await countSockets()).toBe(before);
});

test("a folder that was left in the temporary directory is named", async () => {
  const came = await watchTempDir();
  const path = await mkdtemp(join(tmpdir(), "larder-left-behind-"));
  try {
    expect((await came()).map((name) => join(tmpdir(), name))).toContain(path);
  } finally {
    await rm(path, { recursive: true });
  }
});
