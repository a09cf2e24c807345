import { describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LockfileHash } from "../contract/index.ts";
import { armFailpoints } from "../lib/index.ts";
import { currentTree } from "./current-tree.ts";
import { flipCurrent } from "./flip.ts";
import { openHostStore } from "./host-store.ts";
import { acquireLease, countRuns, openRunDirectory } from "./lease.ts";
import { type Fixture, fixture, linux, openTestStore, type TestStore } from "./store-fixture.test-support.ts";
import { previewSweep, sweepStore } from "./sweep.ts";
import { verifyStore } from "./verify.ts";

const version = (number: number) =>
  fixture({ a: `a@${number}.0.0`, same: "same@1.0.0" }, { [`a@${number}.0.0`]: {}, "same@1.0.0": {} });
const versions = [1, 2, 3, 4, 5].map(version);
const hashes = versions.map(({ lockfileHash }) => lockfileHash);
const [first, second, third, fourth, fifth] = hashes as [LockfileHash, LockfileHash, LockfileHash, LockfileHash, LockfileHash];

async function serve(host: TestStore, built: Fixture, generation: number): Promise<void> {
  await host.build(built);
  await flipCurrent(host.writer, { generation, lockfileHash: built.lockfileHash });
}
async function serveAll(host: TestStore): Promise<void> {
  for (const [index, built] of versions.entries()) await serve(host, built, index + 1);
}
const trees = async (host: TestStore) => (await readdir(host.store.layout.trees)).sort();

describe("a sweep", () => {
  test("keeps the current tree, the last good one, and what they reach; the rest goes, bytes and all (I13)", async () => {
    await using host = await openTestStore();
    await serveAll(host);
    const swept = await sweepStore(host.writer);
    expect(swept.trees.sort()).toEqual([first, second, third].sort());
    expect(swept.packages.length).toBe(3);
    expect(await trees(host)).toEqual([fourth, fifth].sort());
    expect((await readdir(host.store.layout.packages)).length).toBe(3);
    expect(await readdir(host.store.layout.trash)).toEqual([]);
    expect((await verifyStore(host.store)).problems).toEqual([]);
    expect(await sweepStore(host.writer)).toEqual({ trees: [], packages: [], runs: [], freedBytes: 0, overQuotaBytes: 0 });
  });

  test("keeps trees on request, and says what it would do without doing it", async () => {
    await using host = await openTestStore();
    await serveAll(host);
    const planned = await sweepStore(host.writer, { keep: [first], dryRun: true });
    expect(planned.trees.sort()).toEqual([second, third].sort());
    expect(planned.packages.length).toBe(2);
    expect((await trees(host)).length).toBe(5);
    expect(await sweepStore(host.writer, { keep: [first] })).toEqual(planned);
  });

  test("leaves a leased tree and its packages alone until the lease ends (I8)", async () => {
    await using host = await openTestStore();
    await serve(host, versions[0] as Fixture, 1);
    const lease = await acquireLease(host.store, { purpose: "test" });
    for (const [index, built] of versions.slice(1).entries()) await serve(host, built, index + 2);
    await sweepStore(host.writer);
    expect(await readFile(join(lease?.tree.path ?? "", "node_modules/a/index.js"), "utf8")).toContain("a@1.0.0");
    await lease?.[Symbol.asyncDispose]();
    expect((await sweepStore(host.writer)).trees).toEqual([first]);
  });

  test("counts its grace from when a tree went out of service", async () => {
    let nowMs = Date.parse("2026-01-01T00:00:00.000Z");
    await using host = await openTestStore({ clock: { now: () => nowMs } });
    for (const [index, built] of versions.entries()) {
      await serve(host, built, index + 1);
      nowMs += 1000;
    }
    expect((await sweepStore(host.writer, { graceMs: 4000 })).trees).toEqual([first]);
    expect((await sweepStore(host.writer, { graceMs: 4001 })).trees).toEqual([]);
    nowMs += 3000;
    expect((await sweepStore(host.writer, { graceMs: 4000 })).trees.sort()).toEqual([second, third].sort());
  });

  test("above its quota lets trees go before their grace has passed, the longest out of service first, but none that is needed", async () => {
    let nowMs = Date.parse("2026-01-01T00:00:00.000Z");
    await using host = await openTestStore({ clock: { now: () => nowMs } });
    for (const [index, built] of versions.entries()) {
      await serve(host, built, index + 1);
      nowMs += 1000;
    }
    const lease = await acquireLease(host.store, { purpose: "test", generation: 2 });
    const all = await previewSweep(host.store, { graceMs: 0 });
    const one = all.freedBytes / all.packages.length;
    const graceMs = 3_600_000;
    // Five trees of one package each, and one that they share.
    expect((await sweepStore(host.writer, { graceMs, quotaBytes: 100 * one })).trees).toEqual([]);
    expect((await previewSweep(host.store, { graceMs, quotaBytes: 5.5 * one })).trees).toEqual([first]);
    expect((await sweepStore(host.writer, { graceMs, quotaBytes: 5.5 * one })).trees).toEqual([first]);
    const last = await sweepStore(host.writer, { graceMs, quotaBytes: 1 });
    expect(last.trees).toEqual([third]);
    expect(last.overQuotaBytes).toBeGreaterThan(0);
    expect(await trees(host)).toEqual([second, fourth, fifth].sort());
    await lease?.[Symbol.asyncDispose]();
    expect((await verifyStore(host.store)).problems).toEqual([]);
  });

  test("does not count a grace from a time that is yet to come", async () => {
    let nowMs = Date.parse("2036-01-01T00:00:00.000Z");
    await using host = await openTestStore({ clock: { now: () => nowMs } });
    await serveAll(host);
    nowMs = Date.parse("2026-01-01T00:00:00.000Z");
    expect((await sweepStore(host.writer, { graceMs: 1000 })).trees.sort()).toEqual([first, second, third].sort());
  });

  test("removes directories of dead runs, dead leases, and what killed builds left", async () => {
    await using host = await openTestStore();
    const { layout } = host.store;
    await serve(host, versions[0] as Fixture, 1);
    const run = await openRunDirectory(host.store, { purpose: "run" });
    const dead = `4242-${"a".repeat(12)}.sock`;
    await mkdir(join(layout.runs, "b".repeat(24)));
    await writeFile(join(layout.leases, `${first}.${"c".repeat(24)}.${dead}`), "{}");
    await writeFile(join(layout.leases, dead), "");
    await utimes(join(layout.leases, dead), 1, 1);
    await mkdir(join(layout.incoming, "half/made"), { recursive: true });
    await mkdir(join(layout.trash, "old"));
    expect(await countRuns(host.store)).toBe(1);
    expect((await sweepStore(host.writer)).runs).toEqual(["b".repeat(24)]);
    expect(await readdir(layout.runs)).toEqual([run.id]);
    expect((await readdir(layout.leases)).filter((name) => name.includes("4242"))).toEqual([]);
    expect([await readdir(layout.incoming), await readdir(layout.trash)]).toEqual([[], []]);
    await run[Symbol.asyncDispose]();
    expect([await readdir(layout.runs), await countRuns(host.store)]).toEqual([[], 0]);
  });

  test("does not take a young silent socket for a dead one", async () => {
    await using host = await openTestStore();
    const young = `4242-${"a".repeat(12)}.sock`;
    await writeFile(join(host.store.layout.leases, young), "");
    await sweepStore(host.writer);
    expect(await readdir(host.store.layout.leases)).toContain(young);
  });

  test("interrupted at any step is finished by the next one, and current never suffers", async () => {
    for (const step of ["sweep:after-condemn", "sweep:after-trees", "sweep:after-packages"]) {
      await using host = await openTestStore();
      await serveAll(host);
      armFailpoints((name) => {
        if (name === step) throw new Error("stop");
      });
      try {
        await expect(sweepStore(host.writer)).rejects.toThrow("stop");
      } finally {
        armFailpoints(undefined);
      }
      expect((await verifyStore(host.store)).problems).toEqual([]);
      await sweepStore(host.writer);
      expect(await trees(host)).toEqual([fourth, fifth].sort());
      expect((await readdir(host.store.layout.packages)).length).toBe(3);
      expect(await readdir(host.store.layout.trash)).toEqual([]);
    }
  });
});

describe("a lease", () => {
  test("can be taken on a generation that is still here, and on none that is not", async () => {
    await using host = await openTestStore();
    await serveAll(host);
    const lease = await acquireLease(host.store, { purpose: "test", generation: 2 });
    expect(lease?.tree).toMatchObject({ generation: 2, lockfileHash: second });
    await sweepStore(host.writer);
    expect(await acquireLease(host.store, { purpose: "test", generation: 1 })).toBeUndefined();
    expect(await acquireLease(host.store, { purpose: "test", generation: 99 })).toBeUndefined();
    expect((await trees(host)).includes(second)).toBe(true);
    await lease?.[Symbol.asyncDispose]();
  });

  test("taken while its tree is being condemned is refused, or saves the tree: never neither", async () => {
    await using host = await openTestStore();
    await serveAll(host);
    const during: unknown[] = [];
    armFailpoints(async (name) => {
      if (name === "sweep:after-condemn") during.push(await acquireLease(host.store, { purpose: "test", generation: 1 }));
    });
    await sweepStore(host.writer);
    armFailpoints(undefined);
    expect(during).toEqual([undefined]);
    expect((await readdir(host.store.layout.leases)).filter((name) => !name.endsWith(".sock"))).toEqual([]);
  });

  test("and a sweep that race leave no lease without its tree (I8)", async () => {
    await using host = await openTestStore();
    await using other = await openHostStore({ directory: host.store.directory, platform: linux });
    let generation = 0;
    let stop = false;
    let held = 0;
    const hold = async () => {
      while (!stop) {
        const wanted = Math.random() < 0.5 || generation < 4 ? undefined : generation - Math.floor(Math.random() * 4);
        const lease = await acquireLease(other, { purpose: "test", ...(wanted === undefined ? {} : { generation: wanted }) });
        if (!lease) continue;
        held += 1;
        for (let look = 0; look < 3; look += 1) {
          await Bun.sleep(Math.random() * 3);
          expect(await readFile(join(lease.tree.path, "node_modules/a/index.js"), "utf8")).toMatch(/a@\d/);
        }
        await lease[Symbol.asyncDispose]();
      }
    };
    await serve(host, versions[0] as Fixture, ++generation);
    const holders = Array.from({ length: 12 }, hold);
    for (let round = 0; round < 60; round += 1) {
      await serve(host, versions[round % versions.length] as Fixture, ++generation);
      await sweepStore(host.writer);
    }
    stop = true;
    await Promise.all(holders);
    expect(held).toBeGreaterThan(100);
    expect((await verifyStore(host.store)).problems).toEqual([]);
  }, 60_000);

  test("of a killed process does not count (I8)", async () => {
    await using host = await openTestStore();
    await serve(host, versions[0] as Fixture, 1);
    const script = `
      import { acquireLease, openHostStore, openRunDirectory } from ${JSON.stringify(join(import.meta.dir, "index.ts"))};
      const store = await openHostStore({ directory: ${JSON.stringify(host.store.directory)}, platform: ${JSON.stringify(linux)} });
      await acquireLease(store, { purpose: "test" });
      await openRunDirectory(store, { purpose: "test" });
      console.log("held");
      setInterval(() => {}, 1000);`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
    await child.stdout.getReader().read();
    await serve(host, versions[1] as Fixture, 2);
    await serve(host, versions[2] as Fixture, 3);
    expect(await sweepStore(host.writer)).toMatchObject({ trees: [], runs: [] });
    child.kill("SIGKILL");
    await child.exited;
    expect((await sweepStore(host.writer)).trees).toEqual([first]);
    expect(await readdir(host.store.layout.runs)).toEqual([]);
  }, 20_000);

  test("ends with the store that it was taken through", async () => {
    await using host = await openTestStore();
    await serve(host, versions[0] as Fixture, 1);
    const other = await openHostStore({ directory: host.store.directory, platform: linux });
    await acquireLease(other, { purpose: "test" });
    await serve(host, versions[1] as Fixture, 2);
    await serve(host, versions[2] as Fixture, 3);
    expect((await sweepStore(host.writer)).trees).toEqual([]);
    await other[Symbol.asyncDispose]();
    expect((await sweepStore(host.writer)).trees).toEqual([first]);
    expect((await currentTree(host.store))?.lockfileHash).toBe(third);
  });
});
