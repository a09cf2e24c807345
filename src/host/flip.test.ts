import { describe, expect, test } from "bun:test";
import { readdir, readFile, readlink, realpath, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { LockfileHash } from "../contract/index.ts";
import { armFailpoints } from "../lib/index.ts";
import { currentTree } from "./current-tree.ts";
import { flipCurrent } from "./flip.ts";
import { acquireLease } from "./lease.ts";
import { failureOf, fixture, openTestStore } from "./store-fixture.test-support.ts";

const version = (number: number) =>
  fixture({ a: `a@${number}.0.0`, b: `b@${number}.0.0` }, { [`a@${number}.0.0`]: {}, [`b@${number}.0.0`]: {} });
const [one, two] = [version(1), version(2)];

describe("a flip", () => {
  test("makes current serve the tree, and says so", async () => {
    await using host = await openTestStore();
    expect(await currentTree(host.store)).toBeUndefined();
    await host.build(one);
    const tree = await flipCurrent(host.writer, { generation: 3, lockfileHash: one.lockfileHash });
    expect(tree).toEqual({
      generation: 3,
      lockfileHash: one.lockfileHash,
      path: join(host.store.directory, "trees", one.lockfileHash),
    });
    expect(await currentTree(host.store)).toEqual(tree);
    expect(await realpath(host.store.layout.current)).toBe(tree.path);
  });

  test("never goes down, and never gives one number two trees (I6)", async () => {
    await using host = await openTestStore();
    await host.build(one);
    await host.build(two);
    await flipCurrent(host.writer, { generation: 5, lockfileHash: one.lockfileHash });
    const flip = (generation: number, lockfileHash: LockfileHash) => flipCurrent(host.writer, { generation, lockfileHash });
    expect((await failureOf(flip(4, two.lockfileHash))).code).toBe("E_ROLLBACK");
    expect((await failureOf(flip(5, two.lockfileHash))).code).toBe("E_EQUIVOCATION");
    expect((await failureOf(flip(6, "0".repeat(64) as LockfileHash))).code).toBe("E_NOT_READY");
    expect(await currentTree(host.store)).toMatchObject({ generation: 5, lockfileHash: one.lockfileHash });
    await flip(6, two.lockfileHash);
    await flip(7, one.lockfileHash);
    expect(await currentTree(host.store)).toMatchObject({ generation: 7, lockfileHash: one.lockfileHash });
  });

  test("to the tree that is current counts the generation up, and the same flip again changes nothing (I12)", async () => {
    await using host = await openTestStore();
    await host.build(one);
    for (const generation of [1, 1, 2, 2]) await flipCurrent(host.writer, { generation, lockfileHash: one.lockfileHash });
    expect((await currentTree(host.store))?.generation).toBe(2);
    expect(await readdir(host.store.layout.incoming)).toEqual([]);
  });

  test("that was interrupted before the link moved leaves the old tree with its number, and can be repeated", async () => {
    await using host = await openTestStore();
    await host.build(one);
    await host.build(two);
    await flipCurrent(host.writer, { generation: 1, lockfileHash: one.lockfileHash });
    armFailpoints((name) => {
      if (name === "flip:before-rename") throw new Error("stop");
    });
    try {
      await failureOf(flipCurrent(host.writer, { generation: 2, lockfileHash: two.lockfileHash }));
    } finally {
      armFailpoints(undefined);
    }
    expect(await currentTree(host.store)).toMatchObject({ generation: 1, lockfileHash: one.lockfileHash });
    await flipCurrent(host.writer, { generation: 2, lockfileHash: two.lockfileHash });
    expect(await currentTree(host.store)).toMatchObject({ generation: 2, lockfileHash: two.lockfileHash });
  });

  test("repairs a current link that somebody removed or bent", async () => {
    await using host = await openTestStore();
    await host.build(one);
    await flipCurrent(host.writer, { generation: 1, lockfileHash: one.lockfileHash });
    for (const damage of [undefined, "/etc", `trees/${"0".repeat(64)}`]) {
      await rm(host.store.layout.current);
      if (damage !== undefined) await symlink(damage, host.store.layout.current);
      expect(await currentTree(host.store)).toBeUndefined();
      await flipCurrent(host.writer, { generation: 1, lockfileHash: one.lockfileHash });
      expect((await currentTree(host.store))?.generation).toBe(1);
    }
  });
});

test("200 flips under 50 readers: current always resolves, to one whole tree (I1, I7)", async () => {
  await using host = await openTestStore();
  await host.build(one);
  await host.build(two);
  await flipCurrent(host.writer, { generation: 1, lockfileHash: one.lockfileHash });
  let done = false;
  const seen = new Set<string>();
  const read = async () => {
    while (!done) {
      const target = await readlink(host.store.layout.current);
      expect(target).toMatch(/^trees\/[0-9a-f]{64}$/);
      const tree = await realpath(host.store.layout.current);
      const [a, b] = await Promise.all(["a", "b"].map((name) => readFile(join(tree, "node_modules", name, "index.js"), "utf8")));
      expect(a?.replace("a@", "b@")).toBe(b as string);
      seen.add(a as string);
      const lease = await acquireLease(host.store, { purpose: "test" });
      expect(lease).toBeDefined();
      await lease?.[Symbol.asyncDispose]();
    }
  };
  const readers = Array.from({ length: 50 }, read);
  for (let generation = 2; generation <= 201; generation += 1) {
    await flipCurrent(host.writer, { generation, lockfileHash: generation % 2 === 0 ? two.lockfileHash : one.lockfileHash });
  }
  done = true;
  await Promise.all(readers);
  expect(seen.size).toBe(2);
  expect((await currentTree(host.store))?.generation).toBe(201);
}, 60_000);
