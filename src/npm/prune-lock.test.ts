import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseBunLock } from "./bun-lock.ts";
import { lookupPaths } from "./lock-path.ts";
import { pruneLock } from "./prune-lock.ts";

/** `path: [resolution, dependencies]`. */
const lockOf = (packages: Record<string, [string, Record<string, string>?]>): string =>
  JSON.stringify({
    lockfileVersion: 1,
    workspaces: { "": { name: "x", dependencies: { a: "1.0.0" } } },
    packages: Object.fromEntries(
      Object.entries(packages).map(([path, [resolution, dependencies = {}]]) => [
        path,
        [resolution, "", { dependencies }, "sha512-AAAA"],
      ]),
    ),
  });
const kept = (text: string) =>
  parseBunLock(text)
    .packages.map(({ path }) => path)
    .sort();
const workspace = (text: string) =>
  (JSON.parse(text) as { workspaces: { "": { dependencies: object } } }).workspaces[""].dependencies;

test("nothing dropped: the same text", () => {
  const text = lockOf({ a: ["a@1.0.0"] });
  expect(pruneLock(text, () => false)).toBe(text);
});

test("what depends on something dropped goes with it; the rest is held in place by name", () => {
  const text = lockOf({
    a: ["a@1.0.0", { b: "^1", c: "^1" }],
    b: ["b@1.0.1", { d: "^1" }],
    c: ["c@1.0.0", { d: "^1" }],
    "c/d": ["d@2.0.0"],
    d: ["d@1.0.0"],
    e: ["e@1.0.0", { alias: "npm:f@^1" }],
    alias: ["f@1.0.0"],
  });
  const pruned = pruneLock(text, ({ name }) => name === "b");
  expect(kept(pruned)).toEqual(["alias", "c", "c/d", "d", "e"]);
  expect(workspace(pruned)).toEqual({ c: "1.0.0", d: "1.0.0", e: "1.0.0", alias: "npm:f@1.0.0" });
});

test("any lock: no loose end is left, and nothing goes that does not lead to what was dropped", () => {
  const names = ["a", "b", "c", "d", "e", "f"];
  const graphs = fc.record(Object.fromEntries(names.map((name) => [name, fc.subarray(names)])));
  fc.assert(
    fc.property(graphs, fc.subarray(names, { minLength: 1 }), (graph, dropped) => {
      const packages = Object.fromEntries(
        names.map((name) => [
          name,
          [`${name}@1.0.0`, Object.fromEntries((graph[name] ?? []).map((to) => [to, "*"]))] as [string, Record<string, string>],
        ]),
      );
      const lock = parseBunLock(pruneLock(lockOf(packages), ({ name }) => dropped.includes(name)));
      const left = new Set(lock.packages.map(({ path }) => path));
      for (const entry of lock.packages) {
        for (const alias of Object.keys(entry.dependencies)) {
          expect(lookupPaths(entry.path, alias).some((path) => left.has(path))).toBe(true);
        }
      }
      const leads = (name: string, seen = new Set<string>()): boolean =>
        dropped.includes(name) || (!seen.has(name) && (graph[name] ?? []).some((to) => leads(to, seen.add(name))));
      for (const name of names) expect(left.has(name)).toBe(!leads(name));
    }),
  );
});
