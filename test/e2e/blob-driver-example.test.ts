import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type ConformanceSubject, testBlobStore } from "larder/blob-driver/conformance";
import { describeOutput, spawnProcess } from "../harness/spawned.ts";
import { openTempDir, type TempDir } from "../harness/temp-dir.ts";
import { until } from "../harness/until.ts";

const root = resolve(import.meta.dir, "../..");
type Driver = { openBlobStore(options: { directory: string }): Promise<ConformanceSubject["store"]> };

let project: TempDir;
let driver: Driver;

/** As a package that was installed beside Larder. */
beforeAll(async () => {
  project = await openTempDir("driver");
  const packages = project.join("node_modules");
  await cp(join(root, "examples/blob-driver"), join(packages, "larder-blobs-in-a-folder"), { recursive: true });
  await symlink(root, join(packages, "larder"));
  driver = (await import(Bun.resolveSync("larder-blobs-in-a-folder", project.path))) as Driver;
});
afterAll(() => project[Symbol.asyncDispose]());

describe("the example of a driver from another package", () => {
  testBlobStore(
    async () => {
      const directory = await openTempDir("folder");
      const open = () => driver.openBlobStore({ directory: directory.join("blobs") });
      return {
        store: await open(),
        reopen: open,
        async damage(key) {
          const path = directory.join("blobs", key);
          const bytes = await readFile(path);
          bytes[17]! ^= 1;
          await chmod(path, 0o644);
          await writeFile(path, bytes);
        },
        takeAway: () => rm(directory.join("blobs"), { recursive: true }),
        [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
      };
    },
    { test, collectGarbage: () => Bun.gc(true) },
  );
});

test("a server keeps its blobs there when it is told to", async () => {
  await using directory = await openTempDir("driver-server");
  await mkdir(directory.join("data"));
  const module = "folder=larder-blobs-in-a-folder";
  const flags = [
    "--data-dir",
    directory.join("data"),
    "--listen",
    "0",
    "--blob-store-module",
    module,
    "--blob-store",
    "folder",
    "--json",
  ];
  await using server = spawnProcess(process.execPath, [join(root, "src/cli/main.ts"), "serve", ...flags], { cwd: project.path });
  const address = await until(
    "the server is ready",
    () => {
      if (!server.isRunning()) throw new Error(describeOutput(server));
      return (/"address":"([^"]+)"/.exec(server.stdout()) ?? [])[1];
    },
    { timeoutMs: 20_000 },
  );
  const token = (await readFile(directory.join("data/control/admin-token"), "utf8")).trim();
  const storage = await fetch(`${address}/api/storage`, { headers: { authorization: `Bearer ${token}` } });
  expect(await storage.json()).toMatchObject({
    active: "folder",
    stores: expect.arrayContaining([expect.objectContaining({ name: "folder", configured: true })]),
  });
  expect(await (await fetch(`${address}/readyz`)).json()).toMatchObject({ status: "ready" });
}, 30_000);
