import { describe, expect, test } from "bun:test";
import { readdir, realpath, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Fixture, fixture, openTestStore, type TestStore } from "./store-fixture.test-support.ts";
import { verifyStore } from "./verify.ts";

const requireFrom = (path: string) => createRequire(join(path, "x.js"));

/** The tree of `built`, and what a script or a package in it gets when it requires something. */
async function resolving(host: TestStore, built: Fixture) {
  await host.build(built);
  const tree = await realpath(join(host.store.layout.trees, built.lockfileHash));
  const fromScript = requireFrom(tree);
  const inPackage = async (...path: string[]) => {
    let at = tree;
    for (const name of path)
      at = await realpath(requireFrom(at).resolve(`${name}/package.json`)).then((file) => join(file, ".."));
    return requireFrom(at);
  };
  return { tree, fromScript, inPackage };
}

describe("a tree", () => {
  test("is the graph: every package finds its own versions, and scripts find roots only", async () => {
    await using host = await openTestStore();
    const built = fixture(
      { app: "app@1.0.0", ms: "ms@2.1.3", "@corp/utils": "@corp/utils@1.0.0", utils: "utils@1.0.0", renamed: "real@3.0.0" },
      {
        "app@1.0.0": { dependencies: { debug: "debug@2.0.0", "@corp/utils": "@corp/utils@1.0.0", aliased: "ms@2.0.0" } },
        "debug@2.0.0": { dependencies: { ms: "ms@2.0.0" } },
        "ms@2.0.0": {},
        "ms@2.1.3": {},
        "@corp/utils@1.0.0": { dependencies: { "@corp/base": "@corp/base@1.0.0" } },
        "@corp/base@1.0.0": {},
        "utils@1.0.0": {},
        "real@3.0.0": {},
      },
    );
    const { fromScript, inPackage } = await resolving(host, built);
    expect(["ms", "@corp/utils", "utils", "renamed"].map((name) => fromScript(name))).toEqual([
      "ms@2.1.3",
      "@corp/utils@1.0.0",
      "utils@1.0.0",
      "real@3.0.0",
    ]);
    expect(() => fromScript("debug")).toThrow();
    const app = await inPackage("app");
    expect([app("debug"), app("@corp/utils"), app("aliased")]).toEqual(["debug@2.0.0", "@corp/utils@1.0.0", "ms@2.0.0"]);
    expect(() => app("ms")).toThrow();
    expect((await inPackage("app", "debug"))("ms")).toBe("ms@2.0.0");
    expect((await inPackage("@corp/utils"))("@corp/base")).toBe("@corp/base@1.0.0");
  });

  test("resolves cycles, peer contexts, and a package that depends on another version of itself", async () => {
    await using host = await openTestStore();
    const built = fixture(
      {
        a: "a@1.0.0",
        p1: "p@1.0.0(r@1)",
        p2: "p@1.0.0(r@2)",
        foo: "foo@2.0.0",
        "@s/foo": "@s/foo@2.0.0",
        narcissus: "narcissus@1.0.0",
      },
      {
        "a@1.0.0": { dependencies: { b: "b@1.0.0" } },
        "b@1.0.0": { dependencies: { a: "a@1.0.0" } },
        "p@1.0.0(r@1)": { dependencies: { r: "r@1.0.0" } },
        "p@1.0.0(r@2)": { dependencies: { r: "r@2.0.0" } },
        "r@1.0.0": {},
        "r@2.0.0": {},
        "foo@2.0.0": { dependencies: { foo: "foo@1.0.0" } },
        "foo@1.0.0": {},
        "@s/foo@2.0.0": { dependencies: { "@s/foo": "@s/foo@1.0.0" } },
        "@s/foo@1.0.0": {},
        "narcissus@1.0.0": { dependencies: { narcissus: "narcissus@1.0.0" } },
      },
    );
    const { fromScript, inPackage } = await resolving(host, built);
    expect((await inPackage("a", "b"))("a")).toBe("a@1.0.0");
    expect([(await inPackage("p1"))("r"), (await inPackage("p2"))("r")]).toEqual(["r@1.0.0", "r@2.0.0"]);
    expect([fromScript("foo"), (await inPackage("foo"))("foo")]).toEqual(["foo@2.0.0", "foo@1.0.0"]);
    expect([fromScript("@s/foo"), (await inPackage("@s/foo"))("@s/foo")]).toEqual(["@s/foo@2.0.0", "@s/foo@1.0.0"]);
    expect((await inPackage("narcissus"))("narcissus")).toBe("narcissus@1.0.0");
    expect((await verifyStore(host.store)).problems).toEqual([]);
  });

  test("keeps what a package bundles, before what it would be linked to", async () => {
    await using host = await openTestStore();
    const bundled = (name: string) => ({
      [`node_modules/${name}/package.json`]: `{"name":"${name}","version":"9.0.0"}`,
      [`node_modules/${name}/index.js`]: "module.exports = 'bundled';",
    });
    const built = fixture(
      { a: "a@1.0.0", b: "b@2.0.0" },
      {
        "a@1.0.0": { dependencies: { dep: "dep@1.0.0" }, files: bundled("dep") },
        "dep@1.0.0": {},
        "b@2.0.0": { dependencies: { b: "b@1.0.0" }, files: bundled("b") },
        "b@1.0.0": {},
      },
    );
    const { inPackage } = await resolving(host, built);
    expect([(await inPackage("a"))("dep"), (await inPackage("b"))("b")]).toEqual(["bundled", "bundled"]);
    expect((await verifyStore(host.store)).problems).toEqual([]);
  });

  test("holds read-only files, executable only where the tarball said so, whatever the umask", async () => {
    const umask = process.umask(0o077);
    try {
      await using host = await openTestStore();
      const { tree } = await resolving(
        host,
        fixture({ a: "a@1.0.0" }, { "a@1.0.0": { files: { "bin/run": "x", "lib/y.js": "1" } } }),
      );
      const modes = await Promise.all(
        ["package.json", "bin/run", "lib/y.js", "lib"].map(async (path) =>
          ((await stat(join(tree, "node_modules/a", path))).mode & 0o7777).toString(8),
        ),
      );
      expect(modes).toEqual(["444", "555", "444", "755"]);
      expect((await stat(join(tree, "node_modules/a/index.js"))).mtime.toISOString()).toBe("1985-10-26T08:15:00.000Z");
      expect((await verifyStore(host.store)).problems).toEqual([]);
    } finally {
      process.umask(umask);
    }
  });

  test("of nothing allowlisted is complete and empty", async () => {
    await using host = await openTestStore();
    const { tree } = await resolving(host, fixture({}, {}));
    expect(await readdir(join(tree, "node_modules"))).toEqual([]);
  });
});
