import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Integrity, PackageName } from "../contract/index.ts";
import { type KeyedNode, packageKeys } from "./package-keys.ts";
import { planTree } from "./plan-tree.ts";
import { fixture, linux } from "./store-fixture.test-support.ts";
import { strongComponents } from "./strong-components.ts";

const node = (name: string, dependencies: Record<string, string> = {}): KeyedNode => ({
  name: name as PackageName,
  integrity: `sha512-${name}` as Integrity,
  aliases: Object.keys(dependencies) as PackageName[],
  targets: Object.values(dependencies),
});
const keysOf = (nodes: Record<string, KeyedNode>) => packageKeys(new Map(Object.entries(nodes)));

describe("package keys", () => {
  test("change for what changed and for all that depends on it, and for nothing else", () => {
    const graph = (leaf: string) => ({ a: node("a", { b: "b" }), b: node("b", { leaf: "l" }), c: node("c"), l: node(leaf) });
    const before = keysOf(graph("leaf"));
    const after = keysOf(graph("leaf2"));
    expect(["a", "b", "l"].map((id) => before.get(id) === after.get(id))).toEqual([false, false, false]);
    expect(before.get("c")).toBe(after.get("c") as never);
  });

  test("do not depend on node ids or on their order", () => {
    const one = keysOf({ a: node("a", { b: "b", c: "c" }), b: node("b", { a: "a" }), c: node("c") });
    const other = keysOf({ z3: node("c"), z1: node("b", { a: "z2" }), z2: node("a", { c: "z3", b: "z1" }) });
    expect([one.get("a"), one.get("b"), one.get("c")]).toEqual([other.get("z2"), other.get("z1"), other.get("z3")]);
  });

  test("tell an alias from the name it stands for", () => {
    const keys = keysOf({ a: node("x", { dep: "d" }), b: node("x", { other: "d" }), d: node("d") });
    expect(keys.get("a")).not.toBe(keys.get("b") as never);
  });

  test("of a cycle's members are distinct, and change together", () => {
    const ring = (version: string) => ({
      a: node("a", { b: "b" }),
      b: node("b", { c: "c" }),
      c: node("c", { a: "a", d: "d" }),
      d: node(`d${version}`),
      self: node("self", { self: "self" }),
    });
    const before = keysOf(ring("1"));
    const after = keysOf(ring("2"));
    expect(new Set(before.values()).size).toBe(5);
    for (const id of ["a", "b", "c", "d"]) expect(before.get(id)).not.toBe(after.get(id) as never);
    expect(before.get("self")).toBe(after.get("self") as never);
  });

  test("are distinct for members of one package whose surroundings differ, and equal where nothing differs", () => {
    const keys = keysOf({
      p1: node("plugin", { host: "h1" }),
      h1: node("host", { plugin: "p1", react: "r1" }),
      p2: node("plugin", { host: "h2" }),
      h2: node("host", { plugin: "p2", react: "r2" }),
      p3: node("plugin", { host: "h3" }),
      h3: node("host", { plugin: "p3", react: "r1" }),
      r1: node("react1"),
      r2: node("react2"),
    });
    expect(keys.get("p1")).not.toBe(keys.get("p2") as never);
    expect(keys.get("p1")).toBe(keys.get("p3") as never);
    expect(keys.get("h1")).toBe(keys.get("h3") as never);
  });

  test("are equal exactly when two nodes resolve equally, whatever the graph", () => {
    const graph = fc.integer({ min: 1, max: 7 }).chain((size) =>
      fc.array(
        fc.record({
          name: fc.constantFrom("p", "q"),
          dependencies: fc.dictionary(fc.constantFrom("x", "y"), fc.nat(size - 1).map(String), { noNullPrototype: true }),
        }),
        { minLength: size, maxLength: size },
      ),
    );
    fc.assert(
      fc.property(graph, (nodes) => {
        const keys = keysOf(
          Object.fromEntries(nodes.map(({ name, dependencies }, index) => [String(index), node(name, dependencies)])),
        );
        // Unfolded to more levels than there are pairs of nodes: what is equal then is equal for ever.
        const unfold = (id: string, depth: number): string => {
          const { name, dependencies } = nodes[Number(id)] as (typeof nodes)[number];
          if (depth === 0) return name;
          return `${name}(${Object.entries(dependencies)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([alias, to]) => alias + unfold(to, depth - 1))
            .join()})`;
        };
        for (const [a, keyA] of keys) {
          for (const [b, keyB] of keys) if (keyA === keyB) expect(unfold(a, nodes.length)).toBe(unfold(b, nodes.length));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("of a chain of 50,000 packages, and of a ring of 5,000, take no recursion", () => {
    const chain = Array.from(
      { length: 50_000 },
      (_, i) => [`${i}`, node(`p${i}`, i < 49_999 ? { next: `${i + 1}` } : {})] as const,
    );
    expect(packageKeys(new Map(chain)).size).toBe(50_000);
    const ring = Array.from({ length: 5000 }, (_, i) => [`${i}`, node(`p${i}`, { next: `${(i + 1) % 5000}` })] as const);
    expect(new Set(packageKeys(new Map(ring)).values()).size).toBe(5000);
  });
});

test("strong components come after what they point to, and group exactly the nodes that reach each other", () => {
  const graph = fc
    .integer({ min: 1, max: 9 })
    .chain((size) => fc.array(fc.uniqueArray(fc.nat(size - 1), { maxLength: 3 }), { minLength: size, maxLength: size }));
  fc.assert(
    fc.property(graph, (edges) => {
      const components = strongComponents(
        edges.map((_, id) => String(id)),
        (id) => (edges[Number(id)] ?? []).map(String),
      );
      const place = new Map(components.flatMap((component, index) => component.map((id) => [id, index] as const)));
      expect(place.size).toBe(edges.length);
      const reaches = edges.map((_, from) => reachable(edges, from));
      for (const [from, targets] of edges.entries()) {
        for (const to of targets) expect(place.get(String(to)) as number).toBeLessThanOrEqual(place.get(String(from)) as number);
        for (const [to] of edges.entries()) {
          const together = from === to || (reaches[from]?.has(to) && reaches[to]?.has(from)) || false;
          expect(place.get(String(from)) === place.get(String(to))).toBe(together);
        }
      }
    }),
  );
});

function reachable(edges: number[][], from: number): Set<number> {
  const found = new Set<number>();
  const queue = [...(edges[from] ?? [])];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    queue.push(...(edges[id] ?? []));
  }
  return found;
}

describe("a tree plan", () => {
  test("holds what the roots reach on this platform, each key once", () => {
    const { manifest, lockfileHash } = fixture(
      { a: "a@1.0.0" },
      { "a@1.0.0": { dependencies: { b: "b@1.0.0" } }, "b@1.0.0": {}, "stray@1.0.0": {} },
    );
    const plan = planTree(manifest, { lockfileHash, platform: linux });
    expect(plan.packages.map(({ nodeId }) => nodeId).sort()).toEqual(["a@1.0.0", "b@1.0.0"]);
    expect(plan.roots.map(({ alias, name }) => [alias, name])).toEqual([["a", "a"]] as never);
  });

  test("leaves out optional packages of other platforms, and roots that need one, with the reason", () => {
    const { manifest, lockfileHash } = fixture(
      { tool: "tool@1.0.0", mac: "mac@1.0.0" },
      {
        "tool@1.0.0": {
          dependencies: { "@t/linux": "@t/linux@1.0.0", "@t/mac": "@t/mac@1.0.0" },
          optional: ["@t/linux", "@t/mac"],
        },
        "@t/linux@1.0.0": { os: ["linux"] },
        "@t/mac@1.0.0": { os: ["darwin"] },
        "mac@1.0.0": { dependencies: { "@t/mac": "@t/mac@1.0.0" } },
      },
    );
    const plan = planTree(manifest, { lockfileHash, platform: linux });
    expect(plan.packages.map(({ name }) => name).sort()).toEqual(["@t/linux", "tool"] as never);
    expect(plan.packages.find(({ name }) => (name as string) === "tool")?.links.map(({ alias }) => alias)).toEqual([
      "@t/linux",
    ] as never);
    expect(plan.unavailable).toMatchObject([{ name: "mac", version: "1.0.0" }]);
    expect(plan.unavailable[0]?.reason).toContain("@t/mac@1.0.0");
  });

  test("of another platform has other keys for what depends on a platform, and the same for the rest", () => {
    const { manifest, lockfileHash } = fixture(
      { tool: "tool@1.0.0", pure: "pure@1.0.0" },
      { "tool@1.0.0": { dependencies: { l: "l@1.0.0" }, optional: ["l"] }, "l@1.0.0": { os: ["linux"] }, "pure@1.0.0": {} },
    );
    const keysOn = (platform: typeof linux) =>
      Object.fromEntries(planTree(manifest, { lockfileHash, platform }).packages.map(({ name, key }) => [name, key]));
    const here = keysOn(linux);
    const there = keysOn({ os: "darwin", cpu: "arm64" });
    expect(here.pure).toBe(there.pure as never);
    expect(here.tool).not.toBe(there.tool as never);
  });

  test("of nothing is a valid, empty tree", () => {
    const { manifest, lockfileHash } = fixture({}, {});
    expect(planTree(manifest, { lockfileHash, platform: linux })).toMatchObject({ packages: [], roots: [], unavailable: [] });
  });
});
