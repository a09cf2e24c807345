import { expect, test } from "bun:test";
import { specsOfPackageJson } from "./parse-specs.ts";

test("of a package.json exact pins stay, ranges go along, tags ask for the newest, and what is from elsewhere is left out", () => {
  const dependencies = {
    exact: "1.2.3",
    caret: "^4.17.0",
    x: "x",
    either: "1.x || >=2.5.0 <3",
    tag: "latest",
    any: "",
    git: "git+https://example.org/a.git",
    github: "owner/repository",
  };
  expect(specsOfPackageJson(JSON.stringify({ dependencies }))).toEqual({
    specs: [
      { name: "exact", version: "1.2.3" },
      { name: "caret", range: "^4.17.0" },
      { name: "x", range: "x" },
      { name: "either", range: "1.x || >=2.5.0 <3" },
      { name: "tag" },
      { name: "any" },
    ],
    ranges: ["caret ^4.17.0", "x x", "either 1.x || >=2.5.0 <3", "tag latest", "any "],
    skipped: ["git (git+https://example.org/a.git)", "github (owner/repository)"],
  });
});
