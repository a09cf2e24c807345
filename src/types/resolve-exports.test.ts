import { describe, expect, test } from "bun:test";
import { findInPackage, isNotExported } from "./find-in-package.ts";
import { resolveExports } from "./resolve-exports.ts";
import { outlineOf } from "./testing/type-graph.ts";

const conditions = new Set(["types", "import"]);
const first = (exports: unknown, key = ".") => resolveExports(exports, key, conditions, (target) => target);

const nested = (depth: number) => Array.from({ length: depth }).reduce<unknown>((inner) => ({ import: inner }), "./x.js");

test.each([
  ["a text", "./x.js", ".", "./x.js"],
  ["conditions without a path", { types: "./x.d.ts", default: "./x.js" }, ".", "./x.d.ts"],
  ["the author's order, not ours", { ".": { import: "./x.mjs", types: "./x.d.ts" } }, ".", "./x.mjs"],
  ["nested conditions", { ".": { node: "./n.js", import: { browser: "./b.js", types: "./x.d.mts" } } }, ".", "./x.d.mts"],
  ["a list", { ".": [{ worker: "./w.js" }, "./x.js"] }, ".", "./x.js"],
  ["an exact key before a pattern", { "./*": "./all/*.js", "./a": "./one.js" }, "./a", "./one.js"],
  ["the longest pattern", { "./*": "./all/*.js", "./a/*": "./a/*.d.ts" }, "./a/b", "./a/b.d.ts"],
  ["a pattern with an ending", { "./*.js": "./dist/*.js", "./*": "./dist/*/index.js" }, "./a.js", "./dist/a.js"],
  ["every star of a target", { "./*": "./dist/*/*.js" }, "./a", "./dist/a/a.js"],
  ["a folder", { "./lib/": "./dist/" }, "./lib/a.js", "./dist/a.js"],
  ["null for a pattern below", { "./*": "./*.js", "./internal/*": null }, "./internal/a", undefined],
  ["a version that suits", { ".": { "types@>=4": "./new.d.ts", types: "./old.d.ts" } }, ".", "./new.d.ts"],
  ["a version that does not", { ".": { "types@<4": "./old.d.ts", types: "./new.d.ts" } }, ".", "./new.d.ts"],
  ["a version that is none", { ".": { "types@latest-ish": "./old.d.ts", types: "./new.d.ts" } }, ".", "./new.d.ts"],
  ["a path that is not there", { ".": "./x.js" }, "./a", undefined],
  ["a dollar in the rest", { "./*": "./x/*.js" }, "./$&", "./x/$&.js"],
  ["numbers, truth and empty things", { ".": [1, true, {}, [], null, "./x.js"] }, ".", "./x.js"],
  ["a number for everything", 7, ".", undefined],
  ["what every object has", {}, "constructor", undefined],
  ["conditions 10,000 deep", nested(10_000), ".", undefined],
])("exports: %s", (_what, exports, key, expected) => {
  expect(first(exports, key)).toBe(expected as never);
});

describe("targets", async () => {
  const find = async (json: object, subpath = "", files: Record<string, string> = {}) => {
    const outline = await outlineOf({ "package.json": JSON.stringify({ name: "x", version: "1.0.0", ...json }), ...files });
    return findInPackage(outline, { folder: "", subpath, modes: ["import"] });
  };
  const text = "export {};";

  test.each([
    ["../other/index.d.ts"],
    ["./../other/index.d.ts"],
    ["./a/../../other/index.d.ts"],
    ["/etc/passwd.d.ts"],
    ["./node_modules/other/index.d.ts"],
    ["./a\\..\\index.d.ts"],
    ["index.d.ts"],
    ["file:///index.d.ts"],
  ])("%s leads nowhere, in exports as in types", async (target) => {
    expect(await find({ exports: target }, "", { "a.d.ts": text })).toEqual([]);
    expect(await find({ types: target }, "", { "a.d.ts": text })).toEqual([]);
  });

  test.each([
    ["types", { types: "./t.d.ts" }, "", { "t.d.ts": text, "index.d.ts": `${text}//` }, ["t.d.ts"]],
    ["types without an extension", { types: "lib/t" }, "", { "lib/t.d.ts": text }, ["lib/t.d.ts"]],
    ["typings before types", { typings: "a.d.ts", types: "b.d.ts" }, "", { "a.d.ts": text, "b.d.ts": text }, ["a.d.ts"]],
    ["types that are no text", { types: { a: 1 } }, "", { "index.d.ts": text }, ["index.d.ts"]],
    ["beside main", { main: "./lib/x.js" }, "", { "lib/x.d.ts": text }, ["lib/x.d.ts"]],
    ["main is a folder", { main: "lib" }, "", { "lib/index.d.ts": text }, ["lib/index.d.ts"]],
    ["main is gone", { main: "gone.js" }, "", { "index.d.ts": text }, ["index.d.ts"]],
    ["nothing but an index", {}, "", { "index.d.ts": text }, ["index.d.ts"]],
    ["a subpath's file", {}, "/sub", { "sub.d.ts": text }, ["sub.d.ts"]],
    ["a subpath's script", {}, "/sub.js", { "sub.d.ts": text }, ["sub.d.ts"]],
    ["a subpath's folder", {}, "/sub", { "sub/package.json": `{"types":"t.d.ts"}`, "sub/t.d.ts": text }, ["sub/t.d.ts"]],
    ["beside an exported script", { exports: { ".": { import: "./x.mjs" } } }, "", { "x.d.mts": text }, ["x.d.mts"]],
    ["of another kind of file", { exports: { "./x.css": "./x.css" } }, "/x.css", { "x.d.css.ts": text }, ["x.d.css.ts"]],
    [
      "typesVersions for all",
      { typesVersions: { ">=4": { "*": ["ts4/*"] } } },
      "",
      { "index.d.ts": text, "ts4/index.d.ts": text },
      ["ts4/index.d.ts"],
    ],
    [
      "typesVersions for one path",
      { typesVersions: { "*": { sub: ["./dist/sub.d.ts"] } } },
      "/sub",
      { "dist/sub.d.ts": text },
      ["dist/sub.d.ts"],
    ],
    [
      "the first range that suits",
      { typesVersions: { "<=3": { "*": ["old/*"] }, "*": { "*": ["new/*"] } } },
      "",
      { "old/index.d.ts": text, "new/index.d.ts": text },
      ["new/index.d.ts"],
    ],
    ["typesVersions of another shape", { typesVersions: { "*": ["x"], a: 1 } }, "", { "index.d.ts": text }, ["index.d.ts"]],
    ["typesVersions that lead out", { typesVersions: { "*": { "*": ["../*"] } } }, "", { "index.d.ts": text }, ["index.d.ts"]],
    ["exports hide what else is there", { exports: { ".": "./x.js" } }, "/sub", { "sub.d.ts": text }, []],
    [
      "for Node alone",
      { exports: { node: "./n.js", default: "./d.js" } },
      "",
      { "n.d.ts": text, "d.d.ts": `${text}//` },
      ["d.d.ts", "n.d.ts"],
    ],
  ])("are found: %s", async (_what, json, subpath, files, expected) => {
    expect(await find(json, subpath, files as Record<string, string>)).toEqual(expected);
  });

  test("a path that exports offer to nobody is told from one that has no types", async () => {
    const outline = await outlineOf({
      "package.json": `{"name":"x","version":"1.0.0","exports":{".":{"browser":"./x.js"},"./i/*":null}}`,
    });
    expect(["", "/a", "/i/a"].map((subpath) => isNotExported(outline, subpath))).toEqual([false, true, true]);
  });
});
