import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { acquireLease, currentTree, openHostStore, openRunDirectory, openStoreWriter, sweepStore } from "../../src/host/index.ts";
import { buildGeneration } from "../harness/fixture-generation.ts";
import { openSmallDisk, whyNoSmallDisk } from "../harness/small-disk.ts";
import { spawnProcess } from "../harness/spawned.ts";
import { testUnless } from "../harness/test-unless.ts";
import { until } from "../harness/until.ts";
import { createScene, reconcileTo, type Scene, signedOf } from "./host-scene.ts";
import { scratch } from "./host-stage.ts";

const generations = 13;
const content = (version: number) =>
  buildGeneration(
    [
      {
        name: "app",
        version: `${version}.0.0`,
        dependencies: { leaf: `${version}.0.0` },
        files: { "index.js": `module.exports = { app: "${version}", leaf: require("leaf") };` },
      },
      { name: "leaf", version: `${version}.0.0`, files: { "index.js": `module.exports = "${version}";` } },
    ],
    ["app"],
  );
const contents = Array.from({ length: generations }, (_, index) => content(index + 1));

let directory: string;
let data: string;
let scene: Scene;
beforeEach(async () => {
  directory = mkdtempSync(join(scratch, "larder-leases-"));
  data = join(directory, "data");
  scene = await createScene(contents);
  await reconcile(1);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** One pass of a process's life: opened, reconciled, swept, closed. */
async function reconcile(...wanted: number[]): Promise<void> {
  await using store = await openHostStore({ directory: data });
  await using writer = await openStoreWriter(store, { purpose: "test" });
  for (const generation of wanted) await reconcileTo(writer, scene, { generation });
  await sweepStore(writer);
}

const treesHere = async () => new Set(await readdir(join(data, "trees")));
const treeOf = (generation: number): string => signedOf(scene, generation).desired.lockfileHash;
const later = Array.from({ length: generations - 1 }, (_, index) => index + 2);

function startRun() {
  const run = spawnProcess(process.execPath, [join(import.meta.dir, "host-run.ts"), data]);
  const said = (text: string) =>
    until(`the run says ${text}`, () => run.stdout().includes(text) || Promise.reject(new Error(run.stderr())));
  return { run, said };
}

describe("the lease of a run in a process of its own", () => {
  test("outlives ten generations and their sweeps, and a lazy import still finds its own tree (I7, I8)", async () => {
    const { run, said } = startRun();
    await using _run = run;
    await said("1\n");
    await reconcile(...later);
    expect([...(await treesHere())].sort()).toEqual([treeOf(1), treeOf(generations - 1), treeOf(generations)].sort());
    run.endInput();
    await said("1 1\n");
    await run.exited;
    await reconcile(generations);
    expect(await treesHere()).not.toContain(treeOf(1));
  }, 60_000);

  test("outlives the agent: killed in the middle, its successor sweeps around the run", async () => {
    const { run, said } = startRun();
    await using _run = run;
    await said("1\n");
    const sceneFile = join(directory, "scene.json");
    await writeFile(sceneFile, JSON.stringify(scene));
    const agent = spawn(process.execPath, [join(import.meta.dir, "host-driver.ts"), data, "reconcile", "2", sceneFile], {
      env: { ...process.env, LARDER_FAILPOINT: "sweep:after-condemn:kill" },
      stdio: ["pipe", "ignore", "ignore"],
    });
    agent.stdin.end("\n");
    await new Promise((resolve) => agent.once("close", resolve));
    await reconcile(2, 3, 4);
    expect(await treesHere()).toContain(treeOf(1));
    run.endInput();
    await said("1 1\n");
  }, 60_000);

  test("ends with it when it is killed, and the next sweep takes the tree", async () => {
    const { run, said } = startRun();
    await using _run = run;
    await said("1\n");
    await reconcile(2, 3);
    expect(await treesHere()).toContain(treeOf(1));
    await run.kill9();
    await reconcile(3);
    expect(await treesHere()).not.toContain(treeOf(1));
  }, 60_000);

  test("is not a matter of time: clocks ten years off, in either direction, change nothing", async () => {
    const { run, said } = startRun();
    await using _run = run;
    await said("1\n");
    await reconcile(2, 3);
    for (const years of [-10, 10]) {
      const nowMs = Date.now() + years * 365.25 * 86_400_000;
      for (const name of await readdir(join(data, "leases")))
        await utimes(join(data, "leases", name), nowMs / 1000, nowMs / 1000);
      await using store = await openHostStore({ directory: data, clock: { now: () => nowMs } });
      await using writer = await openStoreWriter(store, { purpose: "test" });
      await sweepStore(writer, { graceMs: 1000 });
      expect(await treesHere()).toContain(treeOf(1));
      expect(await treesHere()).toContain(treeOf(3));
    }
    run.endInput();
    await said("1 1\n");
  }, 60_000);

  test("does not survive the machine: after its next start nobody answers, whoever has the process id now", async () => {
    const lease = `${treeOf(1)}.${"0".repeat(24)}.${process.pid}-0123456789ab.sock`;
    await writeFile(join(data, "leases", lease), "{}");
    await writeFile(join(data, "state/verified-boot"), "the boot before");
    await reconcile(2, 3);
    expect(await treesHere()).not.toContain(treeOf(1));
    expect(await readdir(join(data, "leases"))).not.toContain(lease);
  }, 60_000);
});

describe("a file system that is read-only", () => {
  testUnless(whyNoSmallDisk(), "for everybody lets runs hold a tree, since nothing can sweep", async () => {
    await using disk = await openSmallDisk(16_000_000);
    spawnSync("cp", ["-a", data, join(disk.path, "data")]);
    await using store = await openHostStore({ directory: join(disk.path, "data") });
    expect(spawnSync("mount", ["-o", "remount,ro", disk.path]).status).toBe(0);
    const lease = await acquireLease(store, { purpose: "run" });
    expect(lease?.tree.generation).toBe(1);
    const run = await openRunDirectory(store, { purpose: "run" });
    await writeFile(join(run.path, "script.ts"), "");
    await run[Symbol.asyncDispose]();
    await expect(stat(run.path)).rejects.toThrow("ENOENT");
    await lease?.[Symbol.asyncDispose]();
    expect((await currentTree(store))?.generation).toBe(1);
    spawnSync("mount", ["-o", "remount,rw", disk.path]);
  });

  testUnless(whyNoSmallDisk(), "only through one of its mounts does not: another may sweep", async () => {
    await using disk = await openSmallDisk(16_000_000);
    spawnSync("cp", ["-a", data, join(disk.path, "data")]);
    await using view = await openSmallDisk(64_000);
    expect(spawnSync("mount", ["--bind", disk.path, view.path]).status).toBe(0);
    try {
      expect(spawnSync("mount", ["-o", "remount,bind,ro", view.path]).status).toBe(0);
      await using store = await openHostStore({ directory: join(view.path, "data") });
      await expect(acquireLease(store, { purpose: "run" })).rejects.toMatchObject({ code: "E_READ_ONLY" });
    } finally {
      spawnSync("umount", [view.path]);
    }
  });
});
