import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { generation } from "../../test/harness/runner-packages.ts";
import { openTestStore, type TestStore } from "../../test/harness/runner-stage.ts";
import { runtimes } from "../contract/index.ts";
import { createRunner, type Runner } from "./index.ts";

let fixture: TestStore;

beforeAll(async () => {
  fixture = await openTestStore();
  await fixture.serve(generation, 1);
});
afterAll(() => fixture[Symbol.asyncDispose]());

describe.each(runtimes)("a module that is not there (%s)", (runtime) => {
  const runner: Pick<Runner, "run"> = { run: (request) => createRunner(fixture.store).run({ runtime, ...request }) };

  test.each([
    ["import", `import "lodash";`],
    ["a subpath", `import "lodash/fp";`],
    ["require", `require("lodash");`],
    ["import()", `await import("lodash");`],
  ])("is refused at once, by name (%s)", async (_, code) => {
    const { error } = await runner.run({ script: `\n${code}` });
    expect(error).toMatchObject({
      code: "E_NOT_ALLOWLISTED",
      hint: expect.stringContaining("larder add lodash"),
      details: { package: "lodash", position: { file: "script.ts", line: 2 } },
    });
  });

  test("is refused though it is a dependency of an allowlisted package", async () => {
    const { error } = await runner.run({ script: `import inner from "inner"; console.log(inner)` });
    expect(error).toMatchObject({ code: "E_NOT_ALLOWLISTED", hint: expect.stringContaining("larder add inner") });
    expect(error?.message).toContain("dependency");
  });

  test("comes with the name that was probably meant", async () => {
    expect((await runner.run({ script: `import "greeer"` })).error?.hint).toContain("Did you mean greeter?");
    expect((await runner.run({ script: `import "utils"` })).error?.hint).toContain("Did you mean @corp/utils?");
  });

  test("is told apart from an allowlisted package that this platform cannot have", async () => {
    const { error } = await runner.run({ script: `import "elsewhere"` });
    expect(error).toMatchObject({ code: "E_PLATFORM", message: expect.stringContaining("elsewhere") });
  });

  test.each([
    ["a file beside the script", `import "./lib.ts"`],
    ["an unknown built-in", `import nope from "node:nope"; nope()`],
    ["an address", `import "https://example.com/x.js"`],
  ])("is not blamed on the allowlist when it is %s", async (_, script) => {
    expect((await runner.run({ script })).error?.code).toBe("E_MODULE_NOT_FOUND");
  });

  test.each([
    ["does not export", `import "@corp/utils/nope"`, "It offers @corp/utils"],
    ["almost exports", `import "@corp/utils/subs"`, "Did you mean @corp/utils/sub?"],
    ["does not have", `import "greeter/nope"`, "documentation"],
    ["does not have, required", `require("greeter/nope")`, "documentation"],
  ])("is a subpath that the package %s", async (_, script, hint) => {
    const { error } = await runner.run({ script: `\n${script}` });
    expect(error).toMatchObject({
      code: "E_SUBPATH",
      hint: expect.stringContaining(hint),
      details: { position: { file: "script.ts", line: 2 } },
    });
  });

  test("is the package's fault when the package does not declare it", async () => {
    const { error } = await runner.run({ script: `import { undeclared } from "greeter"; undeclared()` });
    expect(error).toMatchObject({
      code: "E_MODULE_NOT_FOUND",
      message: expect.stringContaining("node_modules/greeter/index.js"),
      hint: expect.stringContaining('larder policy set --extend "greeter:'),
      details: { package: "greeter" },
    });
  });
});
