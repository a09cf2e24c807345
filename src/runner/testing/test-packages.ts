import { buildGeneration } from "../../../test/harness/fixture-generation.ts";

/** What the tests run against. */
export const generation = buildGeneration(
  [
    {
      name: "greeter",
      version: "1.0.0",
      dependencies: { inner: "2.0.0" },
      files: {
        "index.js": `const inner = require("inner"); exports.greet = (who) => inner + " " + who; exports.undeclared = () => require("stray"); exports.late = () => import("./late.mjs");`,
        "late.mjs": `export default "late of 1";`,
      },
    },
    { name: "inner", version: "2.0.0", files: { "index.js": `module.exports = "hello";` } },
    {
      name: "@corp/utils",
      version: "1.0.0",
      packageJson: { exports: { ".": "./index.js", "./sub": "./sub.js" } },
      files: { "index.js": `exports.kind = "scoped";`, "sub.js": `exports.sub = true;` },
    },
    { name: "elsewhere", version: "1.0.0", os: ["plan9"] },
  ],
  ["greeter", "@corp/utils", "elsewhere"],
);
