import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type InstallResult, type Manifest, type NodeId, nodeOf } from "../../src/contract/index.ts";
import { detectPlatform } from "../../src/host/index.ts";
import type { FixturePackage } from "../harness/fixture-package.ts";
import { openFixtureRegistry } from "../harness/fixture-registry.ts";
import { openRegistryMirror, whyNoRegistry } from "../harness/registry-mirror.ts";
import { testUnless } from "../harness/test-unless.ts";
import { type LarderStack, openLarderStack, treeOf } from "./larder-stack.ts";
import { compareWithBun, installWithBun } from "./tree-against-bun.ts";
import { compareWithManifest } from "./tree-against-manifest.ts";

const startMs = 120_000;
type Pins = Record<string, string>;

/** What a set of pins became: the stack that serves it, and the manifest. */
interface Stocked {
  stack: LarderStack;
  installed: InstallResult;
  manifest: Manifest;
}

async function stock(registry: string, pins: Pins): Promise<Stocked> {
  const stack = await openLarderStack({ registry });
  try {
    await stack.add(...Object.entries(pins).map((pin) => pin.join("@")));
    const installed = await stack.install();
    return { stack, installed, manifest: await stack.manifest(installed.lockfileHash) };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

function expectEveryEdge({ stack, installed, manifest }: Stocked): void {
  const { differences, packages } = compareWithManifest(treeOf(stack, installed.lockfileHash), manifest, detectPlatform());
  expect(differences).toEqual([]);
  expect(packages).toBeGreaterThan(0);
}

async function expectWhatBunInstalls({ stack, installed }: Stocked, registry: string, pins: Pins): Promise<void> {
  const project = stack.join("project");
  await installWithBun(project, { registry, dependencies: pins });
  const tree = treeOf(stack, installed.lockfileHash).slice(0, -"/node_modules".length);
  const { differences, packages } = compareWithBun(tree, project, Object.keys(pins));
  expect(differences).toEqual([]);
  expect(packages).toBeGreaterThanOrEqual(Object.keys(pins).length);
}

describe("graphs of the fixture registry", () => {
  /** Says what it is, and what it finds under each name. */
  const seeing = (name: string, version: string, rest: Omit<FixturePackage, "name" | "version"> = {}, more: string[] = []) => {
    const names = [...Object.keys({ ...rest.dependencies, ...rest.peerDependencies }), ...more];
    const found = names.map((alias) => `${JSON.stringify(alias)}: label(require(${JSON.stringify(`${alias}/package.json`)}))`);
    const index = `const label = ({ name, version }) => name + "@" + version;
exports.is = label(require("./package.json"));
exports.finds = { ${found.join(", ")} };
`;
    return { name, version, files: { "index.js": index }, ...rest };
  };
  const packages: FixturePackage[] = [
    seeing("core", "1.4.0"),
    seeing("core", "2.3.0"),
    seeing("core", "3.0.0"),
    seeing("plugin", "1.0.0", { peerDependencies: { core: "*" } }),
    seeing("plugin", "2.0.0", { peerDependencies: { core: "*" } }),
    seeing("site-a", "1.0.0", { dependencies: { core: "^1.0.0", plugin: "^1.0.0" } }),
    seeing("site-b", "1.0.0", { dependencies: { core: "^2.0.0", plugin: "^1.0.0" } }),
    seeing("ring-a", "1.0.0", { dependencies: { "ring-b": "1.0.0" } }),
    seeing("ring-b", "1.0.0", { dependencies: { "ring-c": "1.0.0" } }),
    seeing("ring-c", "1.0.0", { dependencies: { "ring-a": "1.0.0", core: "^2.0.0" } }),
    seeing("aliasing", "1.0.0", {
      dependencies: { "core-one": "npm:core@^1.0.0", core: "^3.0.0", "@as/kit": "npm:utils@1.0.0" },
    }),
    seeing("utils", "1.0.0"),
    seeing("@corp/utils", "1.0.0", { dependencies: { utils: "1.0.0" } }),
    seeing("onion", "1.0.0"),
    seeing("onion", "2.0.0", { dependencies: { onion: "^1.0.0" } }),
    {
      ...seeing("bundling", "1.0.0", {}, ["inner", "core"]),
      bundled: { inner: "9.0.0" },
      dependencies: { core: "^1.0.0", inner: "^9.0.0" },
    },
    seeing("inner", "9.1.0"),
    seeing("optional-peer", "1.0.0", { peerDependencies: { core: "*" }, peerDependenciesMeta: { core: { optional: true } } }),
    { ...seeing("choosy", "1.0.0"), optionalDependencies: { "for-none": "1.0.0", utils: "1.0.0" } },
    { ...seeing("for-none", "1.0.0"), os: ["plan9"] },
  ];
  const pins: Pins = {
    core: "3.0.0",
    plugin: "2.0.0",
    "site-a": "1.0.0",
    "site-b": "1.0.0",
    "ring-a": "1.0.0",
    "ring-c": "1.0.0",
    aliasing: "1.0.0",
    utils: "1.0.0",
    "@corp/utils": "1.0.0",
    onion: "2.0.0",
    bundling: "1.0.0",
    "optional-peer": "1.0.0",
    choosy: "1.0.0",
  };
  let registry: Awaited<ReturnType<typeof openFixtureRegistry>>;
  let stocked: Stocked;
  beforeAll(async () => {
    registry = await openFixtureRegistry(packages);
    stocked = await stock(registry.url, pins);
  }, startMs);
  afterAll(async () => {
    await stocked?.stack[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
  });

  test("every edge on disk is the manifest's", () => expectEveryEdge(stocked));

  test("every package finds what it finds under bun install", () => expectWhatBunInstalls(stocked, registry.url, pins), startMs);

  test("a script, and each package, gets its own", async () => {
    const names = Object.keys(pins);
    const script = `${names.map((name, i) => `import p${i} from ${JSON.stringify(name)};`).join("\n")}
export default { ${names.map((name, i) => `${JSON.stringify(name)}: p${i}`).join(", ")} };`;
    const { result, error } = await stocked.stack.run(script);
    expect(error).toBeNull();
    const found = result as Record<string, { is: string; finds: Record<string, string> }>;
    for (const [name, version] of Object.entries(pins)) expect(found[name]?.is).toBe(`${name}@${version}`);
    expect(Object.fromEntries(names.map((name) => [name, found[name]?.finds]))).toMatchObject({
      plugin: { core: "core@3.0.0" },
      "site-a": { core: "core@1.4.0", plugin: "plugin@1.0.0" },
      "site-b": { core: "core@2.3.0", plugin: "plugin@1.0.0" },
      "ring-a": { "ring-b": "ring-b@1.0.0" },
      "ring-c": { "ring-a": "ring-a@1.0.0", core: "core@2.3.0" },
      aliasing: { "core-one": "core@1.4.0", core: "core@3.0.0", "@as/kit": "utils@1.0.0" },
      "@corp/utils": { utils: "utils@1.0.0" },
      onion: { onion: "onion@1.0.0" },
      bundling: { inner: "inner@9.0.0", core: "core@1.4.0" },
      "optional-peer": { core: "core@3.0.0" },
    });
  });

  test("an edge that goes elsewhere would be seen", () => {
    const { stack, installed, manifest } = stocked;
    const other = structuredClone(manifest);
    Object.assign(nodeOf(other, "site-a@1.0.0").dependencies, { core: "core@2.3.0" });
    const { differences } = compareWithManifest(treeOf(stack, installed.lockfileHash), other, detectPlatform());
    expect(differences).toContain("site-a@1.0.0 → core is core@1.4.0 and not core@2.3.0");
  });

  test("two peer contexts of one version are two packages, each with its own peer", () => {
    const { manifest } = stocked;
    const peerOf = (site: string) => {
      const plugin = nodeOf(manifest, (nodeOf(manifest, `${site}@1.0.0`).dependencies as Pins).plugin as NodeId);
      expect(plugin).toMatchObject({ name: "plugin", version: "1.0.0" });
      return (plugin.dependencies as Pins).core;
    };
    expect([peerOf("site-a"), peerOf("site-b")]).toEqual(["core@1.4.0", "core@2.3.0"]);
  });

  test("one package more moves nothing else, though newer versions have come", async () => {
    registry.add(seeing("core", "1.5.0"), seeing("late", "1.0.0", { dependencies: { core: "^1.0.0" } }));
    const { stack, manifest } = stocked;
    await stack.add("late@1.0.0");
    const installed = await stack.install();
    const next = await stack.manifest(installed.lockfileHash);
    expectEveryEdge({ stack, installed, manifest: next });
    expect(next.nodes).toMatchObject(manifest.nodes);
    expect(nodeOf(next, "late@1.0.0").dependencies as Pins).toEqual({ core: "core@1.4.0" });
  }, 60_000);
});

describe("real packages", async () => {
  const mirror = await openRegistryMirror();
  const skip = await whyNoRegistry(mirror);
  const pins: Pins = { "string-width": "5.1.2", "wrap-ansi": "7.0.0", express: "4.19.2" };
  let stocked: Stocked;
  beforeAll(async () => {
    if (skip === undefined) stocked = await stock(mirror.url, pins);
  }, startMs);
  afterAll(async () => {
    await stocked?.stack[Symbol.asyncDispose]();
    await mirror[Symbol.asyncDispose]();
  });

  testUnless(skip, "every edge on disk is the manifest's", () => expectEveryEdge(stocked));

  testUnless(
    skip,
    "every package finds what it finds under bun install",
    () => expectWhatBunInstalls(stocked, mirror.url, pins),
    startMs,
  );

  testUnless(skip, "a script gets string-width 5.1.2, and wrap-ansi its own 4", async () => {
    const { result, error } = await stocked.stack.run(`
      import { createRequire } from "node:module";
      import stringWidth from "string-width";
      import wrapAnsi from "wrap-ansi";
      const version = (from, name) => createRequire(createRequire(from).resolve(name)).resolve("./package.json");
      export default {
        width: stringWidth("古"),
        wrapped: wrapAnsi("one two", 4),
        ours: (await import(version(import.meta.url, "string-width"))).version,
        its: (await import(version(createRequire(import.meta.url).resolve("wrap-ansi"), "string-width"))).version,
      };`);
    expect(error).toBeNull();
    expect(result).toEqual({ width: 2, wrapped: "one\ntwo", ours: "5.1.2", its: expect.stringMatching(/^4\./) });
  });

  testUnless(skip, "express gets ms 2.0.0 where debug asks for it, and 2.1.3 where send does", async () => {
    const { result, error } = await stocked.stack.run(`
      import { createRequire } from "node:module";
      import express from "express";
      const within = (...path) => path.reduce((from, name) => createRequire(from).resolve(name), import.meta.url);
      const ms = (...path) => createRequire(within(...path))("ms/package.json").version;
      export default { is: typeof express().get, debug: ms("express", "debug"), send: ms("express", "send") };`);
    expect(error).toBeNull();
    expect(result).toEqual({ is: "function", debug: "2.0.0", send: "2.1.3" });
  });
});
