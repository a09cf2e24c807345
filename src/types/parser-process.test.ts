import { afterAll, beforeAll, expect, test } from "bun:test";
import { hasCode } from "../contract/index.ts";
import { silentLogger } from "../lib/index.ts";
import { createTypesCutter } from "./cut-types.ts";
import { openParserProcess, type ParserProcess } from "./parser-process.ts";

let parser: ParserProcess;
beforeAll(() => {
  parser = openParserProcess({ bunPath: process.execPath, logger: silentLogger });
});
afterAll(() => parser[Symbol.asyncDispose]());

const deep = 300_000;

test.each([
  ["parentheses", `export type A = ${"(".repeat(deep)}string${")".repeat(deep)};`],
  ["type arguments", `export type A = ${"X<".repeat(deep)}string${">".repeat(deep)};`],
  ["operators", `export type A = ${"keyof ".repeat(deep)}string;`],
  ["conditions", `export type A = ${"a extends b ? ".repeat(deep)}c${": d".repeat(deep)};`],
  ["namespaces", `${"namespace a {".repeat(deep)}${"}".repeat(deep)}`],
])("%s nested deeply enough to end a parser cost that file its references, and nothing else", async (_what, text) => {
  const found = await parser.read([`import "before";`, text, `import "after";`]);
  expect([found[0], found[2]]).toEqual([[["import", "before"]], [["import", "after"]]]);
  expect(found[1] ?? []).toEqual([]);
});

test("what is no TypeScript refers to nothing", async () => {
  expect(await parser.read(["class {{{ import 'x'", "\u0000\u0001", ""])).toEqual([null, null, []]);
});

test("directives count before the first statement, comments do not", async () => {
  const text = `#!/usr/bin/env node
/* a licence */
/// <reference types='node' resolution-mode="require"/>
// /// <reference path="no.d.ts" />
/// <reference lib="DOM" />
import type { A } from "a" with { "resolution-mode": "import" };
/// <reference path="late.d.ts" />
export const text: "/// <reference path='x.d.ts' />";`;
  expect(await parser.read([text])).toEqual([
    [
      ["types", "node", "require"],
      ["lib", "DOM"],
      ["import", "a", "import"],
    ],
  ]);
});

test("questions asked at one time are answered each with its own", async () => {
  const answers = await Promise.all(["a", "b", "c"].map((name) => parser.read([`export * from "${name}"`])));
  expect(answers.flat(2)).toEqual(["a", "b", "c"].map((name) => ["import", name]));
});

test("a text that takes too long is given up", async () => {
  await using hasty = openParserProcess({ bunPath: process.execPath, logger: silentLogger, textMs: 1 });
  const slow = `export type A = ${Array.from({ length: 100_000 }, (_, i) => `import("m${i}").T`).join(" | ")};`;
  expect(await hasty.read([slow])).toEqual([null]);
});

test("a parser that cannot be started is an error with a way out", async () => {
  await using none = openParserProcess({ bunPath: "/nonexistent/bun", logger: silentLogger });
  const failure = await none.read(["export {}"]).catch((error: unknown) => error);
  expect(hasCode(failure, "E_NOT_READY")).toBe(true);
});

test("a cutter keeps declarations and package.json files, each text once, and stops at its limits", () => {
  const cut = (files: Record<string, string | Uint8Array>, limits?: Parameters<typeof createTypesCutter>[0]) => {
    const cutter = createTypesCutter(limits);
    for (const [path, content] of Object.entries(files)) {
      const bytes = Buffer.from(content as string);
      cutter.sink.beginFile({ path, sizeBytes: bytes.length, executable: false });
      for (const byte of bytes.entries()) cutter.sink.data(bytes.subarray(byte[0], byte[0] + 1));
      cutter.sink.endFile();
    }
    return cutter.finish();
  };
  const kept = cut({
    "a.d.ts": "é",
    "b.d.mts": "é",
    "c.d.cts": "1",
    "d.d.css.ts": "2",
    "e/package.json": "{}",
    "f.ts": "x",
    "g.js": "x",
    "package.json5": "x",
  });
  expect(kept).toEqual({
    format: 1,
    files: { "a.d.ts": 0, "b.d.mts": 0, "c.d.cts": 1, "d.d.css.ts": 2, "e/package.json": 3 },
    texts: ["é", "1", "2", "{}"],
  });
  expect(cut({ "a.d.ts": Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("ab", "utf16le")]) }).texts).toEqual(["ab"]);
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}.d.ts`, `${i}`]));
  expect(Object.keys(cut(many, { files: 5, fileBytes: 100, bytes: 100 }).files)).toHaveLength(5);
  expect(cut({ "a.d.ts": "xxxxx", "b.d.ts": "y" }, { files: 5, fileBytes: 3, bytes: 100 })).toMatchObject({
    files: { "b.d.ts": 0 },
    truncated: true,
  });
});
