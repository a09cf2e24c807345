import { expect, test } from "bun:test";
import type { BlobKey } from "../contract/index.ts";
import { createTypeGraph, filesOf } from "./testing/type-graph.ts";

test("what an entry refers to comes with it, in every way that TypeScript knows, and nothing else", async () => {
  const graph = await createTypeGraph({
    "x@1.0.0": {
      files: {
        "index.d.ts": `
          /// <reference path="./by-path.d.ts" />
          /// <reference types="y" />
          /// <reference lib="ES2020.Promise" />
          import { A } from "./imported.js";
          import * as all from "./folder";
          export * from "./re-exported";
          export { B } from "./named";
          import equals = require("./equals");
          export type C = import("./by-type").C & typeof import("z/sub", { with: { "resolution-mode": "import" } });
          declare module "./augmented" { interface D {} }
          // import "./in-comment";
          declare const text: "import './in-text'";`,
        ...Object.fromEntries(
          [
            "by-path",
            "imported",
            "re-exported",
            "named",
            "equals",
            "by-type",
            "augmented",
            "unused",
            "in-comment",
            "in-text",
          ].map((name) => [`${name}.d.ts`, `export declare const ${name.replace("-", "_")}: 1;`]),
        ),
        "folder/index.d.ts": "export {}",
        "index.js": "",
      },
      needs: { y: "y@1.0.0", z: "z@1.0.0" },
    },
    "y@1.0.0": { files: { "index.d.ts": "declare const y: 1;", "other.d.ts": "" } },
    "z@1.0.0": { files: { "sub.d.mts": "export {}" }, json: { exports: { "./sub": { import: "./sub.mjs" } } } },
  });
  const found = await graph.collect(["x"]);
  expect(filesOf(found).sort()).toEqual(
    [
      "x/augmented.d.ts",
      "x/by-path.d.ts",
      "x/by-type.d.ts",
      "x/equals.d.ts",
      "x/folder/index.d.ts",
      "x/imported.d.ts",
      "x/index.d.ts",
      "x/named.d.ts",
      "x/re-exported.d.ts",
      "y/index.d.ts",
      "z/sub.d.mts",
    ].map((path) => `node_modules/${path}`),
  );
  expect(found).toMatchObject({ final: true, libs: ["es2020.promise"], missing: [] });
  expect(found.packages.every(({ files }) => files.includes("package.json"))).toBe(true);
  expect(found.specifiers).toEqual([{ specifier: "x", status: "typed", package: "x@1.0.0", entry: "node_modules/x/index.d.ts" }]);
  expect(Math.max(...graph.loads.values())).toBe(1);
});

test("two versions lie side by side where each dependent finds its own", async () => {
  const graph = await createTypeGraph(
    {
      "a@1.0.0": { files: { "index.d.ts": `export * from "dep"; export * from "b"` }, needs: { dep: "dep@1.0.0", b: "b@1.0.0" } },
      "b@1.0.0": { files: { "index.d.ts": `export * from "dep"` }, needs: { dep: "dep@2.0.0" } },
      "dep@1.0.0": { files: { "index.d.ts": "export declare const one: 1" } },
      "dep@2.0.0": { files: { "index.d.ts": "export declare const two: 2" } },
    },
    ["a@1.0.0"],
  );
  const { packages } = await graph.collect(["a"]);
  expect(Object.fromEntries(packages.map((each) => [each.path, each.package]))).toEqual({
    "node_modules/a": "a@1.0.0",
    "node_modules/a/node_modules/b": "b@1.0.0",
    "node_modules/a/node_modules/b/node_modules/dep": "dep@2.0.0",
    "node_modules/a/node_modules/dep": "dep@1.0.0",
  });
});

test("a package without types has those of its companion, scopes mangled, where the graph has one", async () => {
  const graph = await createTypeGraph(
    {
      "plain@1.0.0": {},
      "@types/plain@1.0.1": {
        files: { "index.d.ts": `import "@s/q"`, "sub.d.ts": "export {}" },
        needs: { "@s/q": "@s/q@1.0.0" },
      },
      "@s/q@1.0.0": {},
      "@types/s__q@1.0.0": { files: { "index.d.ts": "export {}" } },
      "bare@1.0.0": {},
      "@types/hidden@1.0.0": { files: { "index.d.ts": "export {}" } },
    },
    ["plain@1.0.0", "@types/plain@1.0.1", "@types/s__q@1.0.0", "bare@1.0.0"],
  );
  const found = await graph.collect(["plain", "plain/sub", "plain/nothing", "bare", "hidden", "@s/q"]);
  expect(found.specifiers).toEqual([
    { specifier: "plain", status: "typed", package: "@types/plain@1.0.1", entry: "node_modules/@types/plain/index.d.ts" },
    { specifier: "plain/sub", status: "typed", package: "@types/plain@1.0.1", entry: "node_modules/@types/plain/sub.d.ts" },
    { specifier: "plain/nothing", status: "noTypes", hint: expect.any(String) },
    { specifier: "bare", status: "noTypes", hint: expect.stringContaining("@types/bare") },
    { specifier: "hidden", status: "notAllowlisted", hint: expect.stringContaining("hidden") },
    expect.objectContaining({ specifier: "@s/q", status: "notAllowlisted", package: "@types/s__q@1.0.0" }),
  ]);
  expect(filesOf(found)).toContain("node_modules/@types/s__q/index.d.ts");
  expect(found.final).toBe(false);
});

test("Node's own modules come with @types/node, and without it are said to be missing", async () => {
  const user = { files: { "index.d.ts": `import { Readable } from "node:stream"; import "buffer"` } };
  const without = await (await createTypeGraph({ "x@1.0.0": user })).collect(["x", "node:fs", "bun:test"]);
  expect(without.missing).toEqual(["@types/node"]);
  expect(without.specifiers.map(({ status }) => status)).toEqual(["typed", "noTypes", "noTypes"]);
  expect(without.specifiers[1]?.hint).toContain("@types/node");
  const withNode = await (
    await createTypeGraph({ "x@1.0.0": user, "@types/node@1.0.0": { files: { "index.d.ts": "declare module 'fs' {}" } } })
  ).collect(["x", "node:fs", "fs/promises"]);
  expect([withNode.missing, withNode.specifiers.map(({ status }) => status)]).toEqual([[], ["typed", "typed", "typed"]]);
  expect(filesOf(withNode)).toContain("node_modules/@types/node/index.d.ts");
});

test("a package reaches itself by its name, by #names, and what is packed inside it", async () => {
  const graph = await createTypeGraph({
    "x@1.0.0": {
      json: {
        exports: { ".": "./index.js", "./own": "./own.js" },
        imports: { "#in/*": "./internal/*.js", "#out": "y", "#up": "../y/index.js" },
      },
      files: {
        "index.d.ts": `import "x/own"; import "#in/a"; import "#out"; import "#up"; import "packed"`,
        "own.d.ts": "export {}",
        "internal/a.d.ts": "export {}",
        "node_modules/packed/package.json": `{"name":"packed","version":"1.0.0","types":"p.d.ts"}`,
        "node_modules/packed/p.d.ts": "export {}",
      },
      needs: { y: "y@1.0.0" },
    },
    "y@1.0.0": { files: { "index.d.ts": "export {}" } },
  });
  expect(filesOf(await graph.collect(["x"])).sort()).toEqual(
    ["x/index.d.ts", "x/internal/a.d.ts", "x/node_modules/packed/p.d.ts", "x/own.d.ts", "y/index.d.ts"].map(
      (path) => `node_modules/${path}`,
    ),
  );
});

test("a CommonJS declaration gets what require finds too, a module only what import does", async () => {
  const dual = {
    json: { exports: { import: "./m.mjs", require: "./c.cjs" } },
    files: { "m.d.mts": "export {}", "c.d.cts": "export = 1" },
  };
  const graph = await createTypeGraph({
    "c@1.0.0": { files: { "index.d.ts": `import "dual"` }, needs: { dual: "dual@1.0.0" } },
    "m@1.0.0": { json: { type: "module" }, files: { "index.d.ts": `import "dual"` }, needs: { dual: "dual@1.0.0" } },
    "dual@1.0.0": dual,
  });
  expect(filesOf(await graph.collect(["m"]))).toEqual(["node_modules/dual/m.d.mts", "node_modules/m/index.d.ts"]);
  expect(filesOf(await graph.collect(["c"]))).toEqual([
    "node_modules/c/index.d.ts",
    "node_modules/dual/c.d.cts",
    "node_modules/dual/m.d.mts",
  ]);
});

test("cycles between files and between packages end", async () => {
  const graph = await createTypeGraph({
    "a@1.0.0": {
      files: { "index.d.ts": `import "./index"; import "./b"; import "b"`, "b.d.ts": `import "./index"` },
      needs: { b: "b@1.0.0" },
    },
    "b@1.0.0": { files: { "index.d.ts": `import "a"` }, needs: { a: "a@1.0.0" } },
  });
  expect(filesOf(await graph.collect(["a", "b"]))).toHaveLength(3);
});

test("no reference leads out of its package", async () => {
  const graph = await createTypeGraph({
    "x@1.0.0": {
      files: {
        "index.d.ts": `/// <reference path="../../../../etc/passwd" />
          /// <reference path="../y/secret.d.ts" />
          import "../y/secret"; import "/etc/x"; import "file:///x"; import "./a/../../y/secret"; import "..\\\\y"; import "%2e%2e/y";`,
      },
    },
    "y@1.0.0": { files: { "secret.d.ts": "export {}" } },
  });
  const found = await graph.collect(["x", "../y", "/etc/passwd", "https://x.test/y", "x/../y", "x//y", "C:\\y", "", "@", "@a"]);
  expect(filesOf(found)).toEqual(["node_modules/x/index.d.ts"]);
  expect(found.specifiers.slice(1).map(({ status }) => status)).toEqual(Array.from({ length: 9 }, () => "notAPackage"));
});

test("what is more than the limit is cut off, farthest first, and said to be", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`f${i}.d.ts`, `import "./f${i + 1}"; declare const n${i}: 1;`]),
  );
  const graph = await createTypeGraph({
    "x@1.0.0": { json: { types: "f0.d.ts" }, files },
    "y@1.0.0": { files: { "index.d.ts": "" } },
  });
  const found = await graph.collect(["x"], { limits: { files: 10, bytes: 1e6 } });
  expect(found).toMatchObject({ final: false, specifiers: [{ status: "cutOff" }], limit: { files: 10 }, totals: { files: 10 } });
  expect(filesOf(found)).toContain("node_modules/x/f8.d.ts");
  const byBytes = await graph.collect(["x"], { limits: { files: 100, bytes: 300 } });
  expect(byBytes).toMatchObject({ final: false, specifiers: [{ status: "cutOff" }] });
  expect(byBytes.totals.bytes).toBeLessThanOrEqual(300);
});

test("while something is in the making nothing is final, and a blob that is not here is no types", async () => {
  const graph = await createTypeGraph({
    "x@1.0.0": { files: { "index.d.ts": `import "y"` }, needs: { y: "y@1.0.0" } },
    "y@1.0.0": { files: { "index.d.ts": "" } },
  });
  expect(await graph.collect(["x"], { pending: ["y@1.0.0"] })).toMatchObject({
    final: false,
    specifiers: [{ status: "pending" }],
  });
  expect(await graph.collect(["x"], { absent: ["x@1.0.0"] })).toMatchObject({
    final: false,
    specifiers: [{ status: "noTypes" }],
  });
});

test("the whole allowlist comes with all declarations of each package, but those for other versions of TypeScript", async () => {
  const graph = await createTypeGraph(
    {
      "x@1.0.0": {
        json: { typesVersions: { "<4": { "*": ["ts3/*"] } } },
        files: { "index.d.ts": "", "deep/other.d.cts": `import "y"`, "ts3/index.d.ts": "//" },
        needs: { y: "y@1.0.0" },
      },
      "y@1.0.0": { files: { "index.d.ts": "", "unused.d.ts": "//" } },
    },
    ["x@1.0.0"],
  );
  const found = await graph.collect("all");
  expect(filesOf(found)).toEqual(
    ["deep/other.d.cts", "index.d.ts", "node_modules/y/index.d.ts"].map((path) => `node_modules/x/${path}`),
  );
});

test("an outline is a copy of nothing but the package: keys of any name are plain names in it", async () => {
  const graph = await createTypeGraph({
    "x@1.0.0": {
      json: JSON.parse(`{"exports":{".":{"__proto__":"./a.js","types":"./index.d.ts"}},"types":1,"imports":"no"}`),
      files: { "index.d.ts": `import "constructor"; import "#a"; import "toString"; import "__proto__"`, "constructor.d.ts": "" },
    },
  });
  const found = await graph.collect(["x", "constructor", "__proto__", "toString"]);
  expect(filesOf(found)).toEqual(["node_modules/x/index.d.ts"]);
  expect(found.missing.sort()).toEqual(["__proto__", "constructor", "toString"]);
  expect(found.packages[0]?.bundle).toBe(graph.keyOf("x@1.0.0") as BlobKey);
});
