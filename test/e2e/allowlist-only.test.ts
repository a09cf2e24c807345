import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openFixtureRegistry } from "../harness/fixture-registry.ts";
import { type LarderStack, openLarderStack } from "./larder-stack.ts";

/** The same wish in each way that JavaScript has for it. */
const ways: Record<string, (specifier: string) => string> = {
  import: (name) => `import * as it from ${JSON.stringify(name)};\nexport default it.default ?? it;`,
  "import for effect": (name) => `import ${JSON.stringify(name)};`,
  "export from": (name) => `export { default } from ${JSON.stringify(name)};`,
  "dynamic import": (name) => `const name = ${JSON.stringify(name)};\nexport default (await import(name)).default;`,
  require: (name) => `export default require(${JSON.stringify(name)});`,
  "require of CommonJS": (name) => `module.exports = require(${JSON.stringify(name)});`,
  createRequire: (name) =>
    `import { createRequire } from "node:module";\nexport default createRequire(import.meta.url)(${JSON.stringify(name)});`,
};

describe("a script imports", () => {
  let registry: Awaited<ReturnType<typeof openFixtureRegistry>>;
  let stack: LarderStack;
  beforeAll(async () => {
    registry = await openFixtureRegistry([
      {
        name: "app",
        version: "1.0.0",
        dependencies: { inner: "^1.0.0", "@corp/inner": "1.0.0" },
        files: {
          "index.js": `module.exports = { app: true, inner: require("inner").name, scoped: require("@corp/inner").name };\n`,
        },
      },
      { name: "inner", version: "1.2.0" },
      { name: "@corp/inner", version: "1.0.0" },
      {
        name: "nosy",
        version: "1.0.0",
        files: {
          "index.js": `module.exports = ["inner", "stray"].map((name) => { try { return require(name); } catch { return null; } });\n`,
        },
      },
    ]);
    stack = await openLarderStack({ registry: registry.url });
    // A project around the data directory, with packages of its own.
    for (const name of ["stray", "inner", "@corp/stray"]) {
      const directory = stack.join("node_modules", name);
      await mkdir(directory, { recursive: true });
      await writeFile(join(directory, "package.json"), JSON.stringify({ name, version: "6.6.6", main: "index.js" }));
      await writeFile(join(directory, "index.js"), `module.exports = { leaked: ${JSON.stringify(name)} };\n`);
    }
    await stack.add("app", "nosy");
    await stack.install();
  }, 120_000);
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
  });

  for (const [way, write] of Object.entries(ways)) {
    test(`${way}: an allowlisted package, which has its own dependencies`, async () => {
      const { error, result } = await stack.run(write("app"));
      expect(error).toBeNull();
      if (way !== "import for effect") expect(result).toEqual({ app: true, inner: "inner", scoped: "@corp/inner" });
    });

    test.each([
      ["inner", "a dependency of one, though it is on this host", "is here only as a dependency of others"],
      ["@corp/inner", "a scoped one", "is here only as a dependency of others"],
      ["stray", "a package of the project around the data directory", "is not on the allowlist"],
      ["@corp/stray", "a scoped one of that project", "is not on the allowlist"],
    ])(`${way}: not %s, %s`, async (name, _what, why) => {
      const { error, result } = await stack.run(write(name));
      expect(result).toBeNull();
      expect(error).toMatchObject({ code: "E_NOT_ALLOWLISTED", details: { package: name } });
      expect(error?.message).toContain(`The package ${name} ${why}`);
      expect(error?.hint).toContain(`larder add ${name}`);
    });
  }

  test("nor does a package get what it does not declare", async () => {
    const { error, result } = await stack.run(ways.import?.("nosy") as string);
    expect(error).toBeNull();
    expect(result).toEqual([null, null]);
  });

  test("by an exit code that scripts can tell, and a message for people", async () => {
    const { code, stdout } = await stack.larder(["run", "-"], { input: `import "inner";` });
    expect(JSON.parse(stdout).error).toMatchObject({ code: "E_NOT_ALLOWLISTED", hint: "Allowlist it: larder add inner" });
    expect(code).toBe(9);
  });

  test("what the hint says helps", async () => {
    await stack.add("inner");
    const { generation } = await stack.install();
    const run = await stack.run(ways.import?.("inner") as string);
    expect(run).toMatchObject({ generation, result: { name: "inner", version: "1.2.0" } });
  }, 60_000);
});
