import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { chmod, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { acquireLease, openHostStore, verifyStore } from "../../src/host/index.ts";
import { armFailpoints } from "../../src/lib/index.ts";
import { type Random, withRandom } from "../harness/random.ts";
import { whyNoStrace } from "../harness/strace.ts";
import { testUnless } from "../harness/test-unless.ts";
import { enumeratePoints } from "./crash-point.ts";
import { perform } from "./host-driver.ts";
import { neededBy, readDirectories } from "./host-oracle.ts";
import { hashOf, openAttempt, openStage, type Stage } from "./host-stage.ts";

const rounds = process.env.LARDER_FULL === "1" ? 500 : 40;

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => {
  armFailpoints(undefined);
  stage[Symbol.dispose]();
});

describe("the order of what is forced to disk", () => {
  testUnless(
    whyNoStrace(),
    "is bytes, names, what names them, pointer: whatever a power cut keeps, it keeps from the front",
    async () => {
      await using attempt = await openAttempt(stage, "reconcile");
      const calls = (await enumeratePoints(stage, "reconcile", attempt.directory)).filter(({ family }) =>
        ["rename", "fsync"].includes(family),
      );
      const renames = (pattern: RegExp) => indexes(calls, (call) => call.family === "rename" && pattern.test(call.text));
      const syncs = (path: string) => indexes(calls, (call) => call.family === "fsync" && call.text.includes(`<${path}>`));
      const first = (all: number[]) => all[0] ?? Number.NaN;
      const last = (all: number[]) => all.at(-1) ?? Number.NaN;

      const flip = first(renames(/"\/current"/));
      const flips = first(renames(/"\/state\/flips\.json"/));
      const accepted = first(renames(/"\/state\/accepted\.json"/));
      const packages = renames(/, (?:AT_FDCWD[^,]*, )?"\/packages\//);
      const tree = first(renames(/, (?:AT_FDCWD[^,]*, )?"\/trees\//));
      const syncOf = (path: string, from: number) => syncs(path).find((at) => at > from) ?? Number.NaN;

      // The highest generation is known before anything is built for it (I6).
      expect(accepted).toBeLessThan(first(packages));
      // Names of packages before the tree that needs them, the tree before the flip.
      expect(syncOf("/packages", last(packages))).toBeLessThan(tree);
      expect(syncOf("/trees", tree)).toBeLessThan(flips);
      // The generation's number before the link, and the link before a pass goes on to remove anything.
      expect(syncOf("/state", flips)).toBeLessThan(flip);
      expect(syncOf("", flip)).toBeGreaterThan(flip);
      // Every state file: content, name, folder.
      for (const at of renames(/"\/state\/[a-z-]+(?:\.json)?"\)/)) {
        const draft = /"(\/state\/\.[^"]+)"/.exec(calls[at]?.text ?? "")?.[1] ?? "";
        expect(first(syncs(draft))).toBeLessThan(at);
        expect(syncOf("/state", at)).toBeGreaterThan(at);
      }
    },
  );
});

const indexes = <T>(all: readonly T[], wanted: (one: T) => boolean): number[] =>
  all.flatMap((one, index) => (wanted(one) ? [index] : []));

describe("after power was lost", () => {
  test(
    `in ${rounds} ways, files that never came to disk are found before a script meets them, and made anew (I1–I3, I10)`,
    () =>
      withRandom(async (random) => {
        const tally = { files: 0, refused: 0 };
        for (let round = 0; round < rounds; round += 1) {
          await using attempt = await openAttempt(stage, "reconcile");
          const { directory } = attempt;
          tally.files += await losePower(directory, random);
          if (await isRefused(directory)) tally.refused += 1;
          else expect(wrongIn(directory, hashOf(stage.scene, 2))).toEqual([]);
          await perform(directory, "reconcile", { scene: stage.scene, generation: 3 });
          for (const generation of [1, 2, 3]) expect(wrongIn(directory, hashOf(stage.scene, generation))).toEqual([]);
          await using store = await openHostStore({ directory });
          expect((await verifyStore(store, { unreached: true })).problems).toEqual([]);
          expect(await isRefused(directory)).toBe(false);
        }
        console.log(
          `${rounds} power cuts: ${tally.files} files lost, ${tally.refused} times the tree was refused until it was mended`,
        );
        expect(tally.refused).toBeGreaterThan(0);
      }),
    30 * 60_000,
  );

  test("a package that no tree reached yet is not built upon unseen", async () => {
    await using attempt = await openAttempt(stage, "reconcile");
    const { directory } = attempt;
    armFailpoints((name) => {
      if (name === "host:before-tree-rename") throw new Error("power is lost here");
    });
    await perform(directory, "reconcile", { scene: stage.scene, generation: 3 }).catch(() => {});
    armFailpoints(undefined);
    const tree3 = [...neededBy(hashOf(stage.scene, 3), stage.prepared.reconcile.expectation.reference)];
    const known = neededBy(hashOf(stage.scene, 2), stage.prepared.reconcile.expectation.reference);
    const orphan = tree3.find((name) => name.startsWith("packages/") && !known.has(name) && existsSync(join(directory, name)));
    const [file] = [...(stage.prepared.reconcile.expectation.reference.get(orphan ?? "")?.keys() ?? [])].filter((path) =>
      path.endsWith(".js"),
    );
    await cutShort(join(directory, orphan ?? "", file ?? ""), 0);
    await writeFile(join(directory, "state/verified-boot"), "the boot before");
    await perform(directory, "reconcile", { scene: stage.scene, generation: 3 });
    expect(wrongIn(directory, hashOf(stage.scene, 3))).toEqual([]);
  });
});

/** The machine starts again, and some files that nothing had forced to disk are short. */
async function losePower(directory: string, random: Random): Promise<number> {
  await writeFile(join(directory, "state/verified-boot"), "the boot before");
  const files = [...readDirectories(directory)].flatMap(([name, content]) =>
    [...content].filter(([, what]) => !what.startsWith("link ")).map(([path]) => join(directory, name, path)),
  );
  const lost = random.shuffle(files).slice(0, random.integer(0, 3));
  for (const path of lost) await cutShort(path, random.next());
  return lost.length;
}

async function cutShort(path: string, share: number): Promise<void> {
  const { size, mode } = await stat(path);
  await chmod(path, 0o644);
  await truncate(path, Math.floor(share * size));
  await chmod(path, mode & 0o7777);
}

async function isRefused(directory: string): Promise<boolean> {
  await using store = await openHostStore({ directory });
  try {
    const lease = await acquireLease(store, { purpose: "run" });
    await lease?.[Symbol.asyncDispose]();
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: "E_TREE_DAMAGED" });
    return true;
  }
}

/** What of a tree, and of all that it reaches, is not as it was published. */
function wrongIn(directory: string, tree: string): string[] {
  const { reference } = stage.prepared.reconcile.expectation;
  const there = readDirectories(directory);
  return [...neededBy(tree, reference)].filter((name) => {
    const [expected, found] = [reference.get(name), there.get(name)];
    return JSON.stringify([...(expected ?? [])].sort()) !== JSON.stringify([...(found ?? [])].sort());
  });
}
