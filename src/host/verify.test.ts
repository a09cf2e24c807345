import { describe, expect, test } from "bun:test";
import { appendFile, chmod, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { flipCurrent } from "./flip.ts";
import { materialise } from "./materialise.ts";
import { fixture, openTestStore, type TestStore } from "./store-fixture.test-support.ts";
import { verifyStore } from "./verify.ts";

const built = fixture(
  { a: "a@1.0.0", "@s/b": "@s/b@1.0.0" },
  {
    "a@1.0.0": { dependencies: { c: "c@1.0.0" }, files: { "bin/x": "x", "lib/deep/y.js": "y" } },
    "@s/b@1.0.0": {},
    "c@1.0.0": {},
  },
);
const keyOf = (name: string) => built.plan().packages.find((planned) => (planned.name as string) === name)?.key ?? "";

async function served(host: TestStore) {
  await host.build(built);
  await flipCurrent(host.writer, { generation: 1, lockfileHash: built.lockfileHash });
  const package_ = (name: string, ...path: string[]) => join(host.store.layout.packages, keyOf(name), ...path);
  const { current } = host.store.layout;
  return { current, inside: package_, tree: join(host.store.layout.trees, built.lockfileHash) };
}

test("an intact store says how much was checked (I2)", async () => {
  await using host = await openTestStore();
  await served(host);
  const progress: number[] = [];
  const report = await verifyStore(host.store, { onProgress: ({ done }) => progress.push(done) });
  expect(report).toMatchObject({ intact: true, problems: [], trees: 1, packages: 3, files: 8 });
  expect(report.bytes).toBeGreaterThan(150);
  expect(progress).toEqual([1, 2, 3]);
});

test("an empty store is intact", async () => {
  await using host = await openTestStore();
  expect(await verifyStore(host.store)).toMatchObject({ intact: true, trees: 0, packages: 0 });
});

describe("damage", () => {
  type Harm = (at: Awaited<ReturnType<typeof served>>) => Promise<unknown>;
  const inA = "node_modules/a";
  const cases: [string, Harm, string, string][] = [
    ["a file less", ({ inside }) => rm(inside("a", inA, "index.js")), "missing", "a@1.0.0"],
    ["a file more", ({ inside }) => writeFile(inside("a", inA, "extra.js"), ""), "extra", "a@1.0.0"],
    [
      "a file more in a folder more",
      ({ inside }) => mkdir(inside("c", "node_modules/z")).then(() => writeFile(inside("c", "node_modules/z/z"), "")),
      "extra",
      "c@1.0.0",
    ],
    ["a byte more", ({ inside }) => harm(inside("a", inA, "index.js"), (path) => appendFile(path, " ")), "changed", "a@1.0.0"],
    [
      "a byte changed",
      ({ inside }) => harm(inside("a", inA, "lib/deep/y.js"), (path) => writeFile(path, "z")),
      "changed",
      "a@1.0.0",
    ],
    ["a mode changed", ({ inside }) => chmod(inside("a", inA, "index.js"), 0o555), "changed", "a@1.0.0"],
    ["a set-id bit", ({ inside }) => chmod(inside("a", inA, "bin/x"), 0o4555), "changed", "a@1.0.0"],
    [
      "a link for a file",
      ({ inside }) => rm(inside("a", inA, "index.js")).then(() => symlink("package.json", inside("a", inA, "index.js"))),
      "changed",
      "a@1.0.0",
    ],
    ["a dependency's link less", ({ inside }) => rm(inside("a", "node_modules/c")), "missing", "a@1.0.0"],
    [
      "a dependency's link bent",
      ({ inside }) => rm(inside("a", "node_modules/c")).then(() => symlink("/tmp", inside("a", "node_modules/c"))),
      "changed",
      "a@1.0.0",
    ],
    ["a package less", ({ inside }) => rm(inside("c"), { recursive: true }), "missing", "c@1.0.0"],
    ["a record less", ({ inside }) => rm(inside("c", "larder.json")), "record", "c@1.0.0"],
    [
      "a record torn",
      ({ inside }) => harm(inside("c", "larder.json"), (path) => writeFile(path, '{"format"')),
      "record",
      "c@1.0.0",
    ],
    ["a root link less", ({ tree }) => rm(join(tree, inA)), "missing", "tree"],
    ["a root link bent", ({ tree }) => rm(join(tree, inA)).then(() => symlink("../..", join(tree, inA))), "changed", "tree"],
    ["a root link more", ({ tree }) => symlink("../..", join(tree, "node_modules/more")), "extra", "tree"],
    ["a tree's record less", ({ tree }) => rm(join(tree, "larder.json")), "record", "tree"],
    ["the current link bent", ({ current }) => rm(current).then(() => symlink("/etc", current)), "changed", "current tree"],
    ["the current tree less", ({ tree }) => rm(tree, { recursive: true }), "missing", "tree"],
  ];

  test.each(cases)("is found, named, and repaired by building it again: %s", async (_, harmStore, kind, subject) => {
    await using host = await openTestStore();
    await harmStore(await served(host));
    const report = await verifyStore(host.store);
    expect(report.intact).toBe(false);
    expect(report.problems[0]).toMatchObject({ kind, subject: expect.stringContaining(subject) });
    const rebuild = {
      packages: new Set<string>(report.damaged.packages),
      tree: report.damaged.trees.includes(built.lockfileHash),
    };
    await materialise(host.writer, built.plan(), { fetchBlob: built.fetchBlob, signal: new AbortController().signal, rebuild });
    await flipCurrent(host.writer, { generation: 1, lockfileHash: built.lockfileHash });
    expect((await verifyStore(host.store)).problems).toEqual([]);
    expect(await readdir(host.store.layout.incoming)).toEqual([]);
  });
});

/** Read-only files are no obstacle to damage. */
async function harm(path: string, change: (path: string) => Promise<unknown>): Promise<void> {
  await chmod(path, 0o644);
  await change(path);
  await chmod(path, 0o444);
}
