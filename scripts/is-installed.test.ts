import { expect, test } from "bun:test";
// @ts-expect-error: plain JavaScript, so that Node runs it before anything is installed
import { differences } from "./is-installed.mjs";

const wanted = {
  "": { name: "larder" },
  "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
  "node_modules/b-darwin": { version: "1.0.0", integrity: "sha512-b", optional: true },
};
const installed = { "node_modules/a": { version: "1.0.0", integrity: "sha512-a" } };

test("an install without the other platforms' binaries is complete", () => {
  expect(differences(wanted, installed)).toEqual([]);
});

test("a missing package, another version and other bytes are differences", () => {
  expect(differences(wanted, {})).toEqual(["node_modules/a"]);
  expect(differences(wanted, { "node_modules/a": { version: "1.0.1", integrity: "sha512-a" } })).toEqual(["node_modules/a"]);
  expect(differences(wanted, { "node_modules/a": { version: "1.0.0", integrity: "sha512-x" } })).toEqual(["node_modules/a"]);
});
