import { describe, expect, test } from "bun:test";
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
import type { DeclaredVersion } from "./packument.ts";

const anyIntegrity = `sha512-${"A".repeat(86)}==` as Integrity;
type Fields = Partial<
  Pick<LockPackage, "dependencies" | "optionalDependencies" | "peerDependencies" | "optionalPeers" | "bundled">
>;

/** `{ "a/b": ["b@1.0.0", { … }] }`. */
function lockOf(entries: Record<string, [resolution: string, fields?: Fields]>): BunLock {
  const packages = Object.entries(entries).map(([path, [resolution, fields = {}]]) => [
    path,
    [resolution, "", fields, anyIntegrity],
  ]);
  return parseBunLock(JSON.stringify({ lockfileVersion: 2, packages: Object.fromEntries(packages) }));
}

function manifestOf(lock: BunLock, pins: string[], declared: Record<string, Partial<DeclaredVersion>> = {}): Manifest {
  const manifest = buildManifest({
    lock,
    allowlist: pins.map((pin) => {
      const at = pin.lastIndexOf("@");
      return { name: pin.slice(0, at) as PackageName, version: pin.slice(at + 1) as ExactVersion };
    }),
    integrity: () => anyIntegrity,
    describe: (name, version) => declared[`${name}@${version}`] as DeclaredVersion | undefined,
  });
  expect(manifestSchema.parse(JSON.parse(canonicalJson(manifest)))).toEqual(JSON.parse(canonicalJson(manifest)));
  return manifest;
}

const fixture = async (name: string) => parseBunLock(await Bun.file(`${import.meta.dir}/fixtures/${name}.lock`).text());
const idsOf = (manifest: Manifest) => Object.keys(manifest.nodes);
const edgesOf = (manifest: Manifest, id: string): Record<string, string> => ({ ...manifest.nodes[id]?.dependencies });

/** Follows aliases from the root. */
function follow(manifest: Manifest, ...aliases: string[]): string | undefined {
  let edges: Record<string, string> = { ...manifest.roots };
  let id: string | undefined;
  for (const alias of aliases) {
    id = edges[alias];
    edges = id === undefined ? {} : edgesOf(manifest, id);
  }
  return id;
}

describe("locks that Bun wrote", () => {
  test("two versions of one package: each dependent has its own", async () => {
    const manifest = manifestOf(await fixture("two-versions"), ["string-width@5.1.2", "wrap-ansi@7.0.0"]);
    expect(manifest.roots).toEqual({ "string-width": "string-width@5.1.2", "wrap-ansi": "wrap-ansi@7.0.0" } as Manifest["roots"]);
    expect(follow(manifest, "wrap-ansi", "string-width")).toStartWith("string-width@4.");
    expect(follow(manifest, "wrap-ansi", "strip-ansi", "ansi-regex")).toStartWith("ansi-regex@5.");
    expect(follow(manifest, "string-width", "strip-ansi", "ansi-regex")).toStartWith("ansi-regex@6.");
  });

  test("express: ms 2.0.0 and 2.1.3 where the lock says", async () => {
    const manifest = manifestOf(await fixture("express"), ["express@4.19.2"]);
    expect(follow(manifest, "express", "debug", "ms")).toBe("ms@2.0.0");
    expect(follow(manifest, "express", "send", "ms")).toBe("ms@2.1.3");
    expect(follow(manifest, "express", "send", "debug", "ms")).toBe("ms@2.0.0");
  });

  test("platforms: every one is in the graph, as an optional dependency", async () => {
    const manifest = manifestOf(await fixture("platforms"), ["sharp@0.34.5"], {
      "@img/sharp-wasm32@0.34.5": { cpu: ["wasm32"] },
    });
    const sharp = manifest.nodes["sharp@0.34.5"];
    expect(sharp?.optional).toContain("@img/sharp-linuxmusl-arm64" as PackageName);
    expect(sharp?.optional).not.toContain("detect-libc" as PackageName);
    expect(manifest.nodes["@img/sharp-linuxmusl-arm64@0.34.5"]).toMatchObject({ os: ["linux"], cpu: ["arm64"], libc: ["musl"] });
    expect(manifest.nodes["@img/sharp-wasm32@0.34.5"]?.cpu).toEqual(["wasm32"]);
  });

  test("aliases: the name that is imported leads to the package that is meant", async () => {
    const manifest = manifestOf(await fixture("aliases"), ["@isaacs/cliui@8.0.2"]);
    expect(follow(manifest, "@isaacs/cliui", "string-width-cjs")).toBe("string-width@4.2.3");
    expect(follow(manifest, "@isaacs/cliui", "string-width")).toBe("string-width@5.1.2");
    expect(manifest.nodes["string-width@4.2.3"]?.name).toBe("string-width" as PackageName);
  });

  test("optional peers: those that somebody provides are there, and optional; the others are left out", async () => {
    const pins = ["ws@8.18.0", "bufferutil@4.0.8", "react@18.3.1", "react-redux@9.2.0"];
    const manifest = manifestOf(await fixture("optional-peers"), pins);
    expect(edgesOf(manifest, "ws@8.18.0")).toEqual({ bufferutil: "bufferutil@4.0.8" });
    expect(manifest.nodes["ws@8.18.0"]?.optional).toEqual(["bufferutil" as PackageName]);
    expect(edgesOf(manifest, "react-redux@9.2.0")).toMatchObject({ react: "react@18.3.1" });
    expect(edgesOf(manifest, "react-redux@9.2.0")).not.toHaveProperty("redux");
    expect(manifest.nodes["bufferutil@4.0.8"]?.hasInstallScript).toBe(true);
  });

  test("bundled packages come inside their bundler's tarball: no nodes", async () => {
    const manifest = manifestOf(await fixture("bundled"), ["@tailwindcss/oxide-wasm32-wasi@4.3.3"]);
    expect(idsOf(manifest)).toEqual(["@tailwindcss/oxide-wasm32-wasi@4.3.3"]);
  });

  test.each(["peers-v1", "peers-v2"])(
    "peer contexts: the nearest dependent's version, and two nodes where they differ (%s)",
    async (name) => {
      const manifest = manifestOf(await fixture(name), ["schema-utils@4.2.0", "ajv@6.12.6", "ajv-keywords@5.1.0"]);
      expect(follow(manifest, "schema-utils", "ajv-keywords", "ajv")).toBe("ajv@8.20.0");
      expect(follow(manifest, "ajv-keywords", "ajv")).toBe("ajv@6.12.6");
      expect(follow(manifest, "ajv-keywords")).toBe("ajv-keywords@5.1.0(ajv@6.12.6)");
    },
  );
});

describe("peer contexts", () => {
  test("one entry under two dependents with different peers is two nodes", () => {
    const lock = lockOf({
      a: ["a@1.0.0", { dependencies: { t: "1", p: "1" } }],
      b: ["b@1.0.0", { dependencies: { t: "1", p: "2" } }],
      p: ["p@1.0.0"],
      "b/p": ["p@2.0.0"],
      t: ["t@1.0.0", { peerDependencies: { p: "*" } }],
    });
    const manifest = manifestOf(lock, ["a@1.0.0", "b@1.0.0"]);
    expect(idsOf(manifest)).toEqual(["a@1.0.0", "b@1.0.0", "p@1.0.0", "p@2.0.0", "t@1.0.0(p@1.0.0)", "t@1.0.0(p@2.0.0)"]);
    expect(edgesOf(manifest, "b@1.0.0")).toEqual({ p: "p@2.0.0", t: "t@1.0.0(p@2.0.0)" });
  });

  test("contexts that come to the same are one node", () => {
    const lock = lockOf({
      a: ["a@1.0.0", { dependencies: { t: "1", p: "2" } }],
      b: ["b@1.0.0", { dependencies: { t: "1", p: "2" } }],
      p: ["p@1.0.0"],
      "a/p": ["p@2.0.0"],
      "b/p": ["p@2.0.0"],
      t: ["t@1.0.0", { peerDependencies: { p: "*" } }],
    });
    expect(idsOf(manifestOf(lock, ["a@1.0.0", "b@1.0.0"]))).toEqual(["a@1.0.0", "b@1.0.0", "p@2.0.0", "t@1.0.0"]);
  });

  test("a peer reaches through packages that do not have it themselves, and sets those apart too", () => {
    const lock = lockOf({
      a: ["a@1.0.0", { dependencies: { m: "1", p: "1" } }],
      b: ["b@1.0.0", { dependencies: { m: "1", p: "2" } }],
      m: ["m@1.0.0", { dependencies: { t: "1" } }],
      p: ["p@1.0.0"],
      "b/p": ["p@2.0.0"],
      t: ["t@1.0.0", { peerDependencies: { p: "*" } }],
    });
    const manifest = manifestOf(lock, ["a@1.0.0", "b@1.0.0"]);
    expect(follow(manifest, "a", "m", "t", "p")).toBe("p@1.0.0");
    expect(follow(manifest, "b", "m", "t", "p")).toBe("p@2.0.0");
    expect(idsOf(manifest)).toContain("m@1.0.0(p@2.0.0)");
  });

  test("a version that the lock nests for a peer counts where what is provided does not satisfy it", () => {
    const lock = lockOf({
      a: ["a@1.0.0", { dependencies: { p: "1", t: "1" } }],
      b: ["b@1.0.0", { dependencies: { p: "2.5.0", t: "1" } }],
      p: ["p@1.0.0"],
      "b/p": ["p@2.5.0"],
      t: ["t@1.0.0", { peerDependencies: { p: "^2.0.0" } }],
      "t/p": ["p@2.9.0"],
    });
    const manifest = manifestOf(lock, ["a@1.0.0", "b@1.0.0"]);
    expect(follow(manifest, "a", "t", "p")).toBe("p@2.9.0");
    expect(follow(manifest, "b", "t", "p")).toBe("p@2.5.0");
  });

  test("without a provider a peer is what the lock has at its top, else nothing", () => {
    const lock = lockOf({
      t: ["t@1.0.0", { peerDependencies: { p: "*", q: "*" } }],
      p: ["p@1.0.0", { peerDependencies: { t: "*" } }],
    });
    const manifest = manifestOf(lock, ["t@1.0.0"]);
    expect(manifest.nodes["t@1.0.0"]?.dependencies).toEqual({ p: "p@1.0.0" } as Manifest["roots"]);
    expect(manifest.nodes["p@1.0.0"]?.dependencies).toEqual({ t: "t@1.0.0" } as Manifest["roots"]);
  });

  test("cycles end, also those in which each turn provides the next one's peers", () => {
    const lock = lockOf({
      e: ["e@1.0.0", { dependencies: { f: "1", p: "1" } }],
      f: ["f@1.0.0", { dependencies: { e: "1", q: "1" } }],
      p: ["p@1.0.0"],
      q: ["q@1.0.0"],
      "e/p": ["p@2.0.0", { peerDependencies: { q: "*" } }],
      "f/q": ["q@2.0.0", { peerDependencies: { p: "*" } }],
    });
    const manifest = manifestOf(lock, ["e@1.0.0", "f@1.0.0"]);
    expect(follow(manifest, "e", "p", "q")).toBe("q@1.0.0");
    expect(follow(manifest, "e", "f", "e", "p", "q")).toStartWith("q@2.0.0");
    expect(follow(manifest, "e", "f", "e", "f", "q", "p")).toStartWith("p@2.0.0");
  });
});

describe("bundled dependencies", () => {
  test("what a bundled package needs from outside becomes its bundler's, unless the bundler has the name already", () => {
    const lock = lockOf({
      a: ["a@1.0.0", { dependencies: { inner: "1", own: "1" } }],
      "a/inner": ["inner@1.0.0", { bundled: true, dependencies: { outside: "1", own: "2", deeper: "1" } }],
      "a/deeper": ["deeper@1.0.0", { bundled: true, optionalDependencies: { extra: "1" } }],
      "a/inner/own": ["own@2.0.0"],
      own: ["own@1.0.0"],
      outside: ["outside@1.0.0", { dependencies: { inner: "1" } }],
      extra: ["extra@1.0.0"],
      inner: ["inner@1.0.1"],
    });
    const manifest = manifestOf(lock, ["a@1.0.0"]);
    expect(edgesOf(manifest, "a@1.0.0")).toEqual({ extra: "extra@1.0.0", outside: "outside@1.0.0", own: "own@1.0.0" });
    expect(manifest.nodes["a@1.0.0"]?.optional).toEqual(["extra" as PackageName]);
    expect(edgesOf(manifest, "outside@1.0.0")).toEqual({ inner: "inner@1.0.1" });
  });
});

describe("refusals", () => {
  const codeOf = (build: () => unknown) => {
    try {
      build();
    } catch (error) {
      return `${(error as { code?: string }).code} ${(error as Error).message}`;
    }
    return "none";
  };

  test("a package without integrity, by name; but not when nothing leads to it", () => {
    const lock = lockOf({ a: ["a@1.0.0"], b: ["b@1.0.0"] });
    for (const entry of lock.packages) if (entry.path === "b") entry.integrity = "";
    expect(codeOf(() => manifestOf(lock, ["a@1.0.0", "b@1.0.0"]))).toMatch(/^E_RESOLVE .*b@1\.0\.0/);
    expect(idsOf(manifestOf(lock, ["a@1.0.0"]))).toEqual(["a@1.0.0"]);
  });

  test("a lock that is not one of the allowlist", () => {
    expect(codeOf(() => manifestOf(lockOf({ a: ["a@1.0.1"] }), ["a@1.0.0"]))).toMatch(/^E_RESOLVE a@1\.0\.0 .* a@1\.0\.1/);
    expect(codeOf(() => manifestOf(lockOf({ a: ["b@1.0.0"] }), ["a@1.0.0"]))).toMatch(/^E_RESOLVE/);
    expect(codeOf(() => manifestOf(lockOf({ a: ["a@1.0.0", { dependencies: { b: "1" } }] }), ["a@1.0.0"]))).toMatch(
      /^E_LOCKFILE .*b@1/,
    );
  });

  test("an empty allowlist is an empty manifest", () => {
    expect(manifestOf(lockOf({}), [])).toEqual({ format: 1, roots: {}, nodes: {} });
  });
});
