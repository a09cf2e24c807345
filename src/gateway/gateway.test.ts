import { afterEach, describe, expect, test } from "bun:test";
import type { ExactVersion, PackageName } from "../contract/index.ts";
import { createRegistryClient } from "../npm/index.ts";
import { isExotic } from "./exotic.ts";
import { createGateway, type GatewayOptions } from "./gateway.ts";
import { createPackumentCache } from "./packument-cache.ts";
import { createRuleset } from "./ruleset.ts";
import { openTestRegistry, type TestRegistry } from "./testing/test-registry.ts";
import { testRules } from "./testing/test-rules.ts";

const stack: AsyncDisposable[] = [];
afterEach(async () => {
  for (const item of stack.splice(0).reverse()) await item[Symbol.asyncDispose]();
});
async function open(packages: Parameters<typeof openTestRegistry>[0], options: Partial<GatewayOptions> = {}) {
  const registry = await openTestRegistry(packages);
  stack.push(registry);
  return { registry, gateway: await openFor(registry, options) };
}
async function openFor(registry: TestRegistry, options: Partial<GatewayOptions> = {}) {
  const gateway = createGateway({
    client: createRegistryClient({ registry: registry.url, attempts: 2, backoffBaseMs: 1 }),
    ...options,
  });
  stack.push(gateway);
  return { ...gateway, url: await gateway.listen() };
}
interface Served {
  name: string;
  "dist-tags": Record<string, string>;
  versions: Record<string, { optionalDependencies?: Record<string, string> }>;
}
const get = async (url: string) => {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json().catch(() => undefined)) as Served };
};
const a = "a" as PackageName;
const v = (version: string) => version as ExactVersion;

describe("a gateway", () => {
  test("serves packuments without addresses, and remembers what was declared", async () => {
    const { gateway, registry } = await open({ a: { "1.0.0": { dependencies: { b: "^1" } } }, "@s/n": { "2.0.0": {} } });
    const { status, body } = await get(`${gateway.url}a`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      name: "a",
      "dist-tags": { latest: "1.0.0" },
      versions: { "1.0.0": { dependencies: { b: "^1" } } },
    });
    expect(JSON.stringify(body)).not.toContain("http");
    expect((await get(`${gateway.url}@s%2fn`)).body.name).toBe("@s/n");
    expect((await get(`${gateway.url}@s/n`)).body.name).toBe("@s/n");
    expect(gateway.describe(a, v("1.0.0"))?.tarball).toBe(`${registry.url}a/-/a-1.0.0.tgz`);
    expect(gateway.describe(a, v("9.0.0"))).toBeUndefined();
    expect(gateway.describe("b" as PackageName, v("1.0.0"))).toBeUndefined();
  });

  test("answers nobody who does not know its secret, and nothing but packuments", async () => {
    const { gateway, registry } = await open({ a: { "1.0.0": {} } });
    const { origin } = new URL(gateway.url);
    for (const url of [
      `${origin}/a`,
      `${origin}/`,
      `${gateway.url}a/-/a-1.0.0.tgz`,
      `${gateway.url}..%2fa`,
      `${gateway.url}a?b`,
      gateway.url,
    ]) {
      expect((await get(url)).status).toBe(404);
    }
    expect((await fetch(`${gateway.url}a`, { method: "PUT" })).status).toBe(404);
    expect(registry.requests).toEqual([]);
  });

  test("asks the registry once for a name, however many ask at a time", async () => {
    const { gateway, registry } = await open({ a: { "1.0.0": {} } });
    await Promise.all(Array.from({ length: 20 }, () => get(`${gateway.url}a`)));
    expect(registry.requests).toEqual(["/a"]);
  });

  test("keeps packuments between installs for as long as the registry confirms them", async () => {
    const cache = createPackumentCache();
    const { gateway, registry } = await open({ a: { "1.0.0": {} } }, { cache });
    await get(`${gateway.url}a`);
    const second = await openFor(registry, { cache });
    expect((await get(`${second.url}a`)).status).toBe(200);
    expect(registry.notModified).toBe(1);
    registry.packages.a = { "2.0.0": {} };
    const third = await openFor(registry, { cache });
    expect(Object.keys((await get(`${third.url}a`)).body.versions)).toEqual(["2.0.0"]);
  });

  test("hides the versions that policy refuses, and moves tags that pointed at them", async () => {
    const versions = { "1.0.0": {}, "1.2.0": {}, "1.10.0": {}, "2.0.0-rc.1": {}, "2.0.0": {} };
    const ruleset = createRuleset(testRules({ blocked: [{ name: a, range: "2.0.0" }] }));
    const { gateway } = await open({ a: versions }, { ruleset });
    const { body } = await get(`${gateway.url}a`);
    expect(body["dist-tags"]).toEqual({ latest: "1.10.0" });
    expect(Object.keys(body.versions)).toEqual(["1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1"]);
    expect(gateway.describe(a, v("2.0.0"))).toBeUndefined();
  });

  test("hides versions that need something outside registries, and what is only optional there", async () => {
    const { gateway } = await open({
      a: {
        "1.0.0": { dependencies: { b: "^1" }, optionalDependencies: { c: "https://example.org/c.tgz", d: "1" } },
        "1.0.1": { dependencies: { b: "git+ssh://git@example.org/b.git" } },
      },
    });
    const { versions } = (await get(`${gateway.url}a`)).body;
    expect(Object.keys(versions)).toEqual(["1.0.0"]);
    expect(versions["1.0.0"]?.optionalDependencies).toEqual({ d: "1" });
  });

  test("keeps the first trouble with the registry; a package that is not there is none", async () => {
    const { gateway, registry } = await open({});
    expect((await get(`${gateway.url}nowhere`)).status).toBe(404);
    expect(gateway.firstFailure()).toBeUndefined();
    registry.fail = () => 503;
    expect((await get(`${gateway.url}broken`)).status).toBe(502);
    expect((await get(`${gateway.url}later`)).status).toBe(502);
    expect(gateway.firstFailure()).toMatchObject({ code: "E_REGISTRY_UNREACHABLE", message: expect.stringContaining("broken") });
  });

  test("is gone when it is disposed, with what it was still asking", async () => {
    const { gateway, registry } = await open({});
    registry.fail = () => "hang";
    const waiting = get(`${gateway.url}slow`).catch(() => "closed");
    while (registry.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await gateway[Symbol.asyncDispose]();
    expect(await waiting).toBe("closed");
    expect(fetch(`${gateway.url}a`)).rejects.toThrow();
  });
});

describe("the packument cache", () => {
  test("forgets what was used least recently", () => {
    const cache = createPackumentCache({ versions: 6 });
    const entry = (count: number) => ({
      etag: "1",
      body: {
        name: a,
        "dist-tags": {},
        versions: Object.fromEntries(Array.from({ length: count }, (_, i) => [`1.0.${i}`, {} as never])),
      },
    });
    const [x, y, z] = ["x", "y", "z"] as PackageName[];
    cache.set(x as PackageName, entry(1));
    cache.set(y as PackageName, entry(1));
    cache.get(x as PackageName);
    cache.set(z as PackageName, entry(2));
    expect([x, y, z].map((name) => cache.get(name as PackageName) !== undefined)).toEqual([true, false, true]);
    cache.set(z as PackageName, entry(99));
    expect(cache.get(z as PackageName)).toBeUndefined();
  });
});

test("exotic specifiers are told from ranges, tags and aliases", () => {
  const exotic = [
    "git+ssh://git@x/y.git",
    "github:a/b",
    "a/b",
    "a/b#v1",
    "http://x/y.tgz",
    "https://x/y",
    "file:../x",
    "link:x",
    "workspace:*",
    "../x",
    "./x",
    "/x",
    "~/x",
    "x.tgz",
    "C:\\x",
    "git@x:y",
    "npm:a/b",
    "catalog:",
    "patch:x@1",
    ".",
    "..",
  ];
  const plain = [
    "",
    "*",
    "1",
    "^1.2.3",
    "~1.0",
    ">=1 <2 || 3.x",
    "1.0.0 - 2.0.0",
    "latest",
    "next-12",
    "npm:a@1",
    "npm:@s/n@^1.0.0",
    "npm:@s/n",
    "1.0.0-beta.1+build",
  ];
  expect(exotic.filter((specifier) => !isExotic(specifier))).toEqual([]);
  expect(plain.filter(isExotic)).toEqual([]);
});
