import { expect, test } from "bun:test";
import fc from "fast-check";
import satisfies from "semver/functions/satisfies.js";
import {
  canonicalJson,
  type ExactVersion,
  type Integrity,
  type Manifest,
  manifestSchema,
  type PackageName,
} from "../contract/index.ts";
import { buildManifest } from "./build-manifest.ts";
import { type BunLock, type LockPackage, parseBunLock } from "./bun-lock.ts";

const names = ["a", "b", "@s/c", "d", "e"];
const versions = ["1.0.0", "1.1.0", "2.0.0"];
const anyIntegrity = `sha512-${"A".repeat(86)}==`;

const someNames = fc.subarray(names, { maxLength: 3 });
const fields = fc.record({
  dependencies: someNames,
  optionalDependencies: fc.subarray(names, { maxLength: 1 }),
  peerDependencies: fc.subarray(names, { maxLength: 2 }),
  peerRange: fc.constantFrom("*", "^1.0.0", "^2.0.0"),
  optionalPeers: someNames,
});
/** Every name at the top, and some nested one or two deep; nested copies may be of another version. */
const locks = fc
  .record({
    top: fc.tuple(...names.map(() => fc.tuple(fc.constantFrom(...versions), fields))),
    nested: fc.array(
      fc.tuple(fc.array(fc.constantFrom(...names), { minLength: 2, maxLength: 3 }), fc.constantFrom(...versions), fields),
      { maxLength: 4 },
    ),
    roots: fc.subarray(names, { minLength: 1 }),
  })
  .map(({ top, nested, roots }) => {
    const entries = new Map<string, unknown>();
    const add = (path: string[], version: string, of: typeof fields extends fc.Arbitrary<infer F> ? F : never) => {
      const record = (list: string[], range = "*") => Object.fromEntries(list.map((name) => [name, range]));
      const info = {
        dependencies: record(of.dependencies),
        optionalDependencies: record(of.optionalDependencies),
        peerDependencies: record(of.peerDependencies, of.peerRange),
        optionalPeers: of.optionalPeers.filter((name) => of.peerDependencies.includes(name)),
      };
      entries.set(path.join("/"), [`${path.at(-1)}@${version}`, "", info, anyIntegrity]);
    };
    for (const [i, [version, of]] of top.entries()) add([names[i] as string], version, of);
    for (const [path, version, of] of nested) add(path, version, of);
    return { packages: Object.fromEntries(entries), roots };
  });

type Path = LockPackage[];

/** What the rules say, path by path, with nothing shared, merged or remembered. A path is the packages on the way from the root to one, itself last. */
function naiveResolver(lock: BunLock) {
  const at = new Map(lock.packages.map((entry) => [entry.path, entry]));
  const find = (from: LockPackage, name: string): LockPackage | undefined => {
    for (let place = from.path; ; place = place.slice(0, Math.max(0, place.lastIndexOf("/")))) {
      const found = at.get(place === "" ? name : `${place}/${name}`);
      if (found || place === "") return found;
    }
  };
  const isRegular = (entry: LockPackage, name: string) => name in entry.dependencies || name in entry.optionalDependencies;
  const own = (path: Path, name: string): LockPackage | undefined => {
    const entry = path.at(-1) as LockPackage;
    if (isRegular(entry, name)) return find(entry, name);
    const nested = at.get(`${entry.path}/${name}`);
    if (!(name in entry.peerDependencies) || nested === undefined) return undefined;
    const offered = provided(path.slice(0, -1), name)?.at(-1);
    return offered && satisfies(offered.version, entry.peerDependencies[name] as string) ? undefined : nested;
  };
  const provided = (path: Path, name: string): Path | undefined => {
    if (path.length === 0) {
      const top = at.get(name);
      return top && [top];
    }
    const mine = own(path, name);
    return mine ? [...path, mine] : provided(path.slice(0, -1), name);
  };
  return (path: Path): Map<string, { to: Path; own: boolean; optional: boolean }> => {
    const entry = path.at(-1) as LockPackage;
    const aliases = [entry.dependencies, entry.optionalDependencies, entry.peerDependencies].flatMap((group) =>
      Object.keys(group),
    );
    const edges = new Map<string, { to: Path; own: boolean; optional: boolean }>();
    for (const alias of aliases) {
      const mine = own(path, alias);
      const to = mine ? [...path, mine] : provided(path.slice(0, -1), alias);
      const optional =
        alias in entry.optionalDependencies || (!(alias in entry.dependencies) && entry.optionalPeers.includes(alias));
      if (to) edges.set(alias, { to, own: mine !== undefined, optional });
    }
    return edges;
  };
}

function manifestOf(packages: Record<string, unknown>, roots: readonly string[]): { lock: BunLock; manifest: Manifest } {
  const lock = parseBunLock(JSON.stringify({ lockfileVersion: 2, packages }));
  const allowlist = roots.map((name) => {
    const version = lock.packages.find(({ path }) => path === name)?.version as ExactVersion;
    return { name: name as PackageName, version };
  });
  return {
    lock,
    manifest: buildManifest({ lock, allowlist, integrity: () => anyIntegrity as Integrity, describe: () => undefined }),
  };
}

const label = (entry: LockPackage) => `${entry.name}@${entry.version}`;

test("every edge, on every way through own dependencies, is what a naive resolver gives", () => {
  fc.assert(
    fc.property(locks, ({ packages, roots }) => {
      const { lock, manifest } = manifestOf(packages, roots);
      const resolve = naiveResolver(lock);
      const check = (id: string, path: Path) => {
        const node = manifest.nodes[id] as Manifest["nodes"][string];
        const expected = resolve(path);
        expect(`${node.name}@${node.version}`).toBe(label(path.at(-1) as LockPackage));
        expect(Object.keys(node.dependencies).sort()).toEqual([...expected.keys()].sort());
        for (const [alias, { to, own, optional }] of expected) {
          const target = node.dependencies[alias as PackageName] as string;
          const { name, version } = manifest.nodes[target] as Manifest["nodes"][string];
          expect(`${alias} ${name}@${version}`).toBe(`${alias} ${label(to.at(-1) as LockPackage)}`);
          expect((node.optional ?? []).includes(alias as PackageName)).toBe(optional);
          if (own && path.length < 5) check(target, to);
        }
      };
      for (const root of roots) {
        check(manifest.roots[root as PackageName] as string, [lock.packages.find(({ path }) => path === root) as LockPackage]);
      }
    }),
    { numRuns: 300 },
  );
});

test("the manifest is valid, minimal, holds nothing that no root leads to, and does not depend on any order", () => {
  fc.assert(
    fc.property(locks, fc.infiniteStream(fc.nat()), ({ packages, roots }, random) => {
      const { manifest } = manifestOf(packages, roots);
      manifestSchema.parse(manifest);
      const shuffle = <T>(items: T[]) =>
        items
          .map((item) => [random.next().value as number, item] as const)
          .sort(([a], [b]) => a - b)
          .map(([, item]) => item);
      const again = manifestOf(Object.fromEntries(shuffle(Object.entries(packages))), shuffle([...roots])).manifest;
      expect(canonicalJson(again)).toBe(canonicalJson(manifest));

      const reached = new Set<string>(Object.values(manifest.roots));
      for (const id of reached) for (const to of Object.values(manifest.nodes[id]?.dependencies ?? {})) reached.add(to);
      expect([...reached].sort()).toEqual(Object.keys(manifest.nodes).sort());

      let looks = new Map(Object.keys(manifest.nodes).map((id) => [id, ""]));
      for (let round = 0; round <= looks.size; round++) {
        looks = new Map(
          Object.entries(manifest.nodes).map(([id, { name, version, dependencies, optional }]) => {
            const edges = Object.entries(dependencies).map(([alias, to]) => [alias, looks.get(to)]);
            return [id, Bun.hash(canonicalJson({ name, version, optional, edges: Object.fromEntries(edges) })).toString()];
          }),
        );
      }
      expect(new Set(looks.values()).size).toBe(looks.size);
    }),
    { numRuns: 200 },
  );
});
