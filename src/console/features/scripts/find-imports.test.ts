import { expect, test } from "bun:test";
import { findImports, packageOf } from "./find-imports.ts";

const specifiersOf = (text: string) => findImports(text).map(({ specifier }) => specifier);

test("every way to import is found, also while it is typed", () => {
  const text = `import a from "a";\nimport "b";\nexport * from 'c';\nconst d = await import("d");\nconst e = require("e");\nimport { f } from "f"`;
  expect(specifiersOf(text)).toEqual(["a", "b", "c", "d", "e", "f"]);
});

test("comments do not count, and an address is no comment", () => {
  expect(specifiersOf(`// import "a"\n/* from "b" */ const u = "http://x"; import c from "c"; /* from "d"`)).toEqual(["c"]);
});

test("the place is that of the specifier alone", () => {
  const text = `import { x } from "@acme/x/sub";`;
  const [found] = findImports(text);
  expect(text.slice(found?.start, found?.end)).toBe("@acme/x/sub");
});

test.each([
  ["zod/v4", "zod"],
  ["@acme/x/y", "@acme/x"],
  ["@acme", undefined],
  ["./local", undefined],
  ["node:fs", undefined],
  ["https://x/y", undefined],
])("%s is of the package %p", (specifier, name) => {
  expect(packageOf(specifier)).toBe(name);
});
