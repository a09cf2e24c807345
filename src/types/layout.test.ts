import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Manifest, PackageName } from "../contract/index.ts";
import { createLayout, type Place } from "./layout.ts";

const names = ["a", "b", "c", "d", "e"];

/** Any graph over a few names in up to three versions, with cycles, and any of them at the top. */
const graphs = fc
  .record({
    nodes: fc.uniqueArray(fc.tuple(fc.constantFrom(...names), fc.integer({ min: 1, max: 3 })), {
      minLength: 1,
      maxLength: 12,
      selector: String,
    }),
    edges: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 30 }),
    roots: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
  })
  .map(({ nodes, edges, roots }) => {
    const ids = nodes.map(([name, version]) => `${name}@${version}.0.0`);
    const pick = (n: number) => ids[n % ids.length] as string;
    const nameOf = (id: string) => id.slice(0, id.indexOf("@"));
    const dependencies = Object.fromEntries(ids.map((id) => [id, {} as Record<string, string>]));
    for (const [from, to] of edges) (dependencies[pick(from)] as Record<string, string>)[nameOf(pick(to))] = pick(to);
    return {
      format: 1,
      roots: Object.fromEntries(roots.map((n) => [nameOf(pick(n)), pick(n)])),
      nodes: Object.fromEntries(
        ids.map((id) => [id, { name: nameOf(id), version: "1.0.0", integrity: "", dependencies: dependencies[id] }]),
      ),
    } as unknown as Manifest;
  });

/** As TypeScript looks for it. */
function lookUp(top: ReadonlyMap<PackageName, Place>, from: Place, alias: PackageName): string | undefined {
  for (let at: Place | undefined = from; at; at = at.parent) {
    const found = at.inner.get(alias);
    if (found) return found.node;
  }
  return top.get(alias)?.node;
}

test("looking upwards from any place finds what the lock says, whatever the graph", () => {
  let places = 0;
  fc.assert(
    fc.property(graphs, (manifest) => {
      const layout = createLayout(manifest, { places: 400, depth: 10 });
      for (const place of layout.top.values()) layout.settle(place);
      if (layout.isCutOff()) return;
      const queue = [...layout.top.values()];
      for (const place of queue) {
        places += 1;
        for (const [alias, id] of Object.entries(manifest.nodes[place.node]?.dependencies ?? {})) {
          expect(lookUp(layout.top, place, alias as PackageName)).toBe(id);
        }
        queue.push(...place.inner.values());
      }
      expect(new Set(queue.map(({ path }) => path)).size).toBe(queue.length);
    }),
    { numRuns: 500 },
  );
  expect(places).toBeGreaterThan(1000);
});

test("a graph that would nest for ever is cut off", () => {
  const node = (dependencies: Record<string, string>) => ({ version: "1.0.0", integrity: "", dependencies });
  const manifest = {
    format: 1,
    roots: { a: "a@1" },
    nodes: {
      "a@1": { name: "a", ...node({ b: "b@1" }) },
      "b@1": { name: "b", ...node({ a: "a@2" }) },
      "a@2": { name: "a", ...node({ b: "b@2" }) },
      "b@2": { name: "b", ...node({ a: "a@1" }) },
    },
  } as unknown as Manifest;
  const layout = createLayout(manifest);
  for (const place of layout.top.values()) layout.settle(place);
  expect(layout.isCutOff()).toBe(true);
});

test("only the allowlist is at the top", () => {
  const manifest = {
    format: 1,
    roots: { a: "a@1" },
    nodes: { "a@1": { name: "a", dependencies: { b: "b@1" } }, "b@1": { name: "b", dependencies: {} } },
  } as unknown as Manifest;
  const layout = createLayout(manifest);
  const [a] = layout.top.values();
  layout.settle(a as Place);
  expect([[...layout.top.keys()] as string[], a?.inner.get("b" as PackageName)?.path]).toEqual([
    ["a"],
    "node_modules/a/node_modules/b",
  ]);
});
