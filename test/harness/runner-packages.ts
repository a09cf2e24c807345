import { buildGeneration } from "./fixture-generation.ts";

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
    {
      name: "booby-trap",
      version: "1.0.0",
      packageJson: {
        bin: { git: "./trap.js", node: "./trap.js", sh: "./trap.js" },
        scripts: Object.fromEntries(
          ["preinstall", "install", "postinstall", "prepare"].map((name) => [name, "touch /tmp/larder-booby-trap"]),
        ),
      },
      files: {
        "index.js": "module.exports = 1;",
        "trap.js": `#!/usr/bin/env node\nrequire("fs").writeFileSync("/tmp/larder-booby-trap", "")`,
        "binding.gyp": `{ "targets": [{ "target_name": "x", "actions": [] }] }`,
        ".npmrc": "node-options=--require ./trap.js",
        "bunfig.toml": `preload = ["./trap.js"]`,
        ".node-version": "1.0.0",
      },
    },
  ],
  ["greeter", "@corp/utils", "elsewhere", "booby-trap"],
);
