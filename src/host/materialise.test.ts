import { describe, expect, test } from "bun:test";
import { chmod, lstat, mkdir, readdir, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { blobKeyOf } from "../contract/index.ts";
import { flipCurrent } from "./flip.ts";
import { materialise, missingPackages } from "./materialise.ts";
import { type Fixture, failureOf, fixture, openTestStore, packageTarball, type TestStore } from "./store-fixture.test-support.ts";
import { verifyStore } from "./verify.ts";

describe("work in proportion to the change", () => {
  const packages = { "a@1.0.0": { dependencies: { b: "b@1.0.0" } }, "b@1.0.0": {}, "c@1.0.0": {} };

  test("nothing is pulled or built twice", async () => {
    await using host = await openTestStore();
    const built = fixture({ a: "a@1.0.0", c: "c@1.0.0" }, packages);
    expect(await host.build(built)).toMatchObject({ pulledBlobs: 3, packagesBuilt: 3, reused: 0 });
    expect(await host.build(built)).toEqual({ pulledBytes: 0, pulledBlobs: 0, packagesBuilt: 0, reused: 3 });
    expect(await missingPackages(host.store, built.plan())).toEqual([]);
  });

  test("a changed leaf pulls that leaf; its dependents share their files with their former selves", async () => {
    await using host = await openTestStore();
    await host.build(fixture({ a: "a@1.0.0", c: "c@1.0.0" }, packages));
    const changed = fixture(
      { a: "a@1.0.0", c: "c@1.0.0" },
      { ...packages, "a@1.0.0": { dependencies: { b: "b@1.0.1" } }, "b@1.0.1": {} },
    );
    expect(await host.build(changed)).toMatchObject({ pulledBlobs: 1, packagesBuilt: 2, reused: 1 });
    const a = changed.plan().packages.find(({ name }) => (name as string) === "a");
    expect((await stat(join(host.store.layout.packages, a?.key ?? "", "node_modules/a/index.js"))).nlink).toBe(2);
    expect((await verifyStore(host.store)).problems).toEqual([]);
  });

  test("several packages of one tarball pull it once", async () => {
    await using host = await openTestStore();
    const built = fixture(
      { p1: "p@1.0.0(1)", p2: "p@1.0.0(2)", p3: "p@1.0.0(3)" },
      {
        "p@1.0.0(1)": { dependencies: { r: "r@1.0.0" } },
        "p@1.0.0(2)": { dependencies: { r: "r@2.0.0" } },
        "p@1.0.0(3)": {},
        "r@1.0.0": {},
        "r@2.0.0": {},
      },
    );
    expect(await host.build(built)).toMatchObject({ pulledBlobs: 3, packagesBuilt: 5 });
  });

  test("a damaged package is not shared: its tarball is pulled again", async () => {
    await using host = await openTestStore();
    const before = fixture({ a: "a@1.0.0" }, packages);
    await host.build(before);
    const a = before.plan().packages.find(({ name }) => (name as string) === "a");
    const { rm } = await import("node:fs/promises");
    await rm(join(host.store.layout.packages, a?.key ?? "", "node_modules/a/index.js"));
    const changed = fixture({ a: "a@1.0.0" }, { ...packages, "a@1.0.0": { dependencies: { b: "b@1.0.1" } }, "b@1.0.1": {} });
    expect(await host.build(changed)).toMatchObject({ pulledBlobs: 2 });
    expect(await readdir(host.store.layout.incoming)).toEqual([]);
  });

  test("progress counts packages and packed bytes up to the end", async () => {
    await using host = await openTestStore();
    const built = fixture({ a: "a@1.0.0", c: "c@1.0.0" }, packages);
    const seen: string[] = [];
    const result = await materialise(host.writer, built.plan(), {
      fetchBlob: built.fetchBlob,
      signal: new AbortController().signal,
      onProgress: ({ done, total, doneBytes }) => seen.push(`${done}/${total} ${doneBytes}`),
    });
    expect(seen.at(0)).toBe("0/3 0");
    expect(seen.at(-1)).toBe(`3/3 ${result.pulledBytes}`);
    expect(result.pulledBytes).toBe([...built.blobs.values()].reduce((sum, blob) => sum + blob.length, 0));
  });
});

describe("a package that cannot be built", () => {
  const roots = { good: "good@1.0.0", bad: "bad@1.0.0" };
  const packages = { "good@1.0.0": {}, "bad@1.0.0": {} };

  async function failing(host: TestStore, tamper: (built: Fixture) => void) {
    const built = fixture(roots, packages);
    tamper(built);
    const failure = await failureOf(host.build(built));
    expect(await readdir(host.store.layout.trees)).toEqual([]);
    expect(await readdir(host.store.layout.incoming)).toEqual([]);
    return failure;
  }
  const badKey = (built: Fixture) => blobKeyOf(built.manifest.nodes["bad@1.0.0"]?.integrity as never);

  test("because its bytes differ is named with both digests (I3)", async () => {
    await using host = await openTestStore();
    const failure = await failing(host, (built) => built.blobs.set(badKey(built), packageTarball("bad", "1.0.0", { x: "y" })));
    expect(failure.code).toBe("E_INTEGRITY");
    expect(failure.message).toContain("bad@1.0.0");
    expect(failure.details).toContainAllKeys(["package", "expected", "found"]);
  });

  test("because its bytes break off, are empty, or another package's, is named", async () => {
    await using host = await openTestStore();
    for (const bytes of [packageTarball("bad", "1.0.0").subarray(0, 40), Buffer.alloc(0), packageTarball("good", "1.0.0")]) {
      expect((await failing(host, (built) => built.blobs.set(badKey(built), bytes))).code).toBe("E_INTEGRITY");
    }
  });

  test("because its tarball says that it is another package, is named", async () => {
    await using host = await openTestStore();
    const built = fixture({ bad: "bad@1.0.0" }, { "bad@1.0.0": { tarballOf: "bad@1.0.1" } });
    const failure = await failureOf(host.build(built));
    expect(failure.code).toBe("E_TARBALL_IDENTITY");
    expect(failure.message).toContain("bad@1.0.1");
  });

  test("because the connection broke, is named, and the next attempt pulls only what is missing (I12)", async () => {
    await using host = await openTestStore();
    const built = fixture(roots, packages);
    const { LarderError } = await import("../contract/index.ts");
    const failure = await failureOf(
      materialise(host.writer, built.plan(), {
        signal: new AbortController().signal,
        fetchBlob: async (key) => {
          if (key === badKey(built)) throw new LarderError("E_SERVER_UNREACHABLE", "no route");
          return built.fetchBlob(key);
        },
      }),
    );
    expect([failure.code, failure.message]).toEqual(["E_SERVER_UNREACHABLE", "bad@1.0.0: no route"]);
    const result = await host.build(built);
    expect(result.packagesBuilt + result.reused).toBe(2);
    expect((await verifyStore(host.store)).intact).toBe(true);
  });

  test("because it was cancelled, leaves nothing half-made", async () => {
    await using host = await openTestStore();
    const built = fixture(roots, packages);
    const controller = new AbortController();
    const failure = await failureOf(
      materialise(host.writer, built.plan(), {
        signal: controller.signal,
        fetchBlob: async (key) => {
          controller.abort();
          return built.fetchBlob(key);
        },
      }),
    );
    expect((failure as unknown as Error).name).toBe("AbortError");
    expect(await readdir(host.store.layout.incoming)).toEqual([]);
  });

  test.skipIf(process.getuid?.() === 0)(
    "because a folder is not ours to write, is told with its path and a way out",
    async () => {
      await using host = await openTestStore();
      await chmod(host.store.layout.incoming, 0o500);
      const failure = await failureOf(host.build(fixture(roots, packages)));
      await chmod(host.store.layout.incoming, 0o755);
      expect(failure.code).toBe("E_PERMISSION");
      expect(failure.message).toContain(host.store.layout.incoming);
      expect(failure.hint).toBeString();
    },
  );
});

test("a package that somebody completed first is taken as it is (I2)", async () => {
  await using host = await openTestStore();
  const built = fixture({ a: "a@1.0.0" }, { "a@1.0.0": {} });
  const key = built.plan().packages[0]?.key ?? "";
  await materialise(host.writer, built.plan(), {
    signal: new AbortController().signal,
    fetchBlob: async (blob) => {
      await mkdir(join(host.store.layout.packages, key, "node_modules/a"), { recursive: true });
      await writeFile(join(host.store.layout.packages, key, "node_modules/a/index.js"), "first");
      return built.fetchBlob(blob);
    },
  });
  expect(await Bun.file(join(host.store.layout.packages, key, "node_modules/a/index.js")).text()).toBe("first");
  expect(await readdir(host.store.layout.incoming)).toEqual([]);
});

test("links are relative, so that a store can be moved as a whole", async () => {
  await using host = await openTestStore();
  const built = fixture(
    { "@s/a": "@s/a@1.0.0" },
    { "@s/a@1.0.0": { dependencies: { "@s/b": "@s/b@1.0.0", c: "c@1.0.0" } }, "@s/b@1.0.0": {}, "c@1.0.0": {} },
  );
  await host.build(built);
  await flipCurrent(host.writer, { generation: 1, lockfileHash: built.lockfileHash });
  const { layout } = host.store;
  const keyOf = (name: string) => built.plan().packages.find((planned) => (planned.name as string) === name)?.key;
  const own = join(layout.packages, keyOf("@s/a") ?? "", "node_modules");
  expect(await readlink(layout.current)).toBe(`trees/${built.lockfileHash}`);
  expect(await readlink(join(layout.current, "node_modules/@s/a"))).toBe(
    `../../../../packages/${keyOf("@s/a")}/node_modules/@s/a`,
  );
  expect(await readlink(join(own, "@s/b"))).toBe(`../../../${keyOf("@s/b")}/node_modules/@s/b`);
  expect(await readlink(join(own, "c"))).toBe(`../../${keyOf("c")}/node_modules/c`);
  expect((await lstat(join(own, "@s/a"))).isDirectory()).toBe(true);
});
