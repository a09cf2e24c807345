import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { currentTree } from "./current-tree.ts";
import { flipCurrent } from "./flip.ts";
import { killFixture } from "./killed-builder.test-support.ts";
import { buildPlan, openTestStore, type TestStore } from "./store-fixture.test-support.ts";
import { openStoreWriter } from "./store-writer.ts";
import { sweepStore } from "./sweep.ts";
import { verifyStore } from "./verify.ts";

const spawnBuilder = (host: TestStore, version: number, environment: Record<string, string> = {}) =>
  Bun.spawn(
    [process.execPath, join(import.meta.dir, "killed-builder.test-support.ts"), host.store.directory, `${version}`, `${version}`],
    {
      stdout: "pipe",
      stderr: "inherit",
      env: { ...process.env, ...environment },
    },
  );

/** After a kill: whatever is visible is whole, and the next attempt needs no hand (I1, I2, I11, I12, I13). */
async function expectRecovery(host: TestStore, version: number): Promise<void> {
  const current = await currentTree(host.store);
  expect([version - 1, version]).toContain(current?.generation ?? -1);
  expect((await verifyStore(host.store)).problems).toEqual([]);
  const writer = await openStoreWriter(host.store, { purpose: "recovery" });
  const built = killFixture(version);
  await buildPlan(writer, built, built.plan());
  await flipCurrent(writer, { generation: version, lockfileHash: built.lockfileHash });
  await sweepStore(writer);
  expect(await currentTree(host.store)).toMatchObject({ generation: version, lockfileHash: built.lockfileHash });
  expect((await verifyStore(host.store)).problems).toEqual([]);
  const { layout } = host.store;
  expect([await readdir(layout.incoming), await readdir(layout.trash)]).toEqual([[], []]);
  expect((await readdir(layout.trees)).length).toBe(2);
  await writer[Symbol.asyncDispose]();
}

async function begun(): Promise<TestStore> {
  const host = await openTestStore();
  const built = killFixture(1);
  await host.build(built);
  await flipCurrent(host.writer, { generation: 1, lockfileHash: built.lockfileHash });
  await host.writer[Symbol.asyncDispose]();
  return host;
}

describe("kill -9 of a builder", () => {
  test("at 20 random moments leaves the old tree or the new one", async () => {
    await using host = await begun();
    let cutShort = 0;
    for (let version = 2; version < 22; version += 1) {
      const child = spawnBuilder(host, version);
      await child.stdout.getReader().read();
      await Bun.sleep(Math.random() * 60);
      child.kill("SIGKILL");
      await child.exited;
      if ((await currentTree(host.store))?.generation !== version) cutShort += 1;
      await expectRecovery(host, version);
    }
    expect(cutShort).toBeGreaterThan(0);
  }, 120_000);

  const steps = [
    "host:after-unpack",
    "host:before-package-rename",
    "host:after-package-rename",
    "host:before-tree-rename",
    "host:after-tree-rename",
    "flip:before-state",
    "flip:before-rename",
    "flip:after-rename",
    "sweep:after-condemn",
    "sweep:after-trees",
    "sweep:after-packages",
  ];
  test.each(steps)(
    "at %s leaves the old tree or the new one",
    async (step) => {
      await using host = await begun();
      const child = spawnBuilder(host, 2, { LARDER_FAILPOINT: `${step}:kill` });
      await child.exited;
      expect(child.signalCode).toBe("SIGKILL");
      await expectRecovery(host, 2);
    },
    30_000,
  );
});
