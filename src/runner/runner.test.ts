import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generation } from "../../test/harness/runner-packages.ts";
import { openTestStore, runsFolder, type TestStore } from "../../test/harness/runner-stage.ts";
import { createRunner, type Runner } from "./index.ts";

let fixture: TestStore;
let runner: Runner;

beforeAll(async () => {
  fixture = await openTestStore();
  await fixture.serve(generation, 1);
  runner = createRunner(fixture.store);
});
afterAll(() => fixture[Symbol.asyncDispose]());

describe("a run", () => {
  test("imports allowlisted packages and returns its default export", async () => {
    const script = `import { greet } from "greeter"; import { kind } from "@corp/utils"; import { sub } from "@corp/utils/sub";
      export default { said: greet(context.who as string), kind, sub };`;
    const result = await runner.run({ script, context: { who: "you" } });
    expect(result).toMatchObject({
      result: { said: "hello you", kind: "scoped", sub: true },
      exitCode: 0,
      stdout: "",
      stderr: "",
      outputTruncated: false,
      generation: 1,
      lockfileHash: generation.lockfileHash,
    });
    expect(result.error).toBeNull();
  });

  test("returns what a promise gives, and null without a default export", async () => {
    expect((await runner.run({ script: "export default new Promise((r) => setTimeout(() => r([1]), 5))" })).result).toEqual([1]);
    expect(await runner.run({ script: "console.log(1)" })).toMatchObject({ result: null, stdout: "1\n", exitCode: 0 });
  });

  test("is the main module, and sees no arguments of ours", async () => {
    const script = "export default { main: import.meta.main, args: process.argv.slice(2) }";
    expect((await runner.run({ script })).result).toEqual({ main: true, args: [] });
  });

  test.each([
    ["export default { app: 1 }", { app: 1 }],
    ["export default { fetch: () => 1, port: 0, name: 'x' }", { port: 0, name: "x" }],
    ["module.exports = { app: [1] }", { app: [1] }],
    ["export default Promise.resolve({ app: 1 })", { app: 1 }],
  ])("returns what Bun would start a server for: %s", async (script, result) => {
    expect(await runner.run({ script })).toMatchObject({ result, stdout: "", stderr: "", exitCode: 0 });
  });

  test("may start a server itself", async () => {
    const script = `const server = Bun.serve({ port: 0, fetch: () => new Response("served") });
      console.debug("asks");
      const text = await (await fetch(server.url)).text();
      await server.stop();
      export default text;`;
    expect(await runner.run({ script })).toMatchObject({ result: "served", stdout: "asks\n" });
  });

  test("waits for work that was started, and reports what is thrown there", async () => {
    expect((await runner.run({ script: "setTimeout(() => console.log('later'), 20); export default 1" })).stdout).toBe("later\n");
    const late = await runner.run({ script: "setTimeout(() => {\n  throw new Error('late') }, 1); export default 1" });
    expect(late).toMatchObject({ result: null, error: { code: "E_RUN_FAILED", details: { position: { line: 2 } } } });
    const rejected = await runner.run({ script: "Promise.reject(new Error('lost')); export default 1" });
    expect(rejected.error).toMatchObject({ code: "E_RUN_FAILED", message: "Error: lost" });
  });

  test("runs a file under its own name", async () => {
    const file = fixture.temp.join("report.ts");
    await writeFile(file, `type N = number;\nfunction fail(n: N): never {\n  throw new RangeError("no " + n);\n}\nfail(7);\n`);
    const { error } = await runner.run({ file });
    expect(error).toMatchObject({ code: "E_RUN_FAILED", message: "RangeError: no 7" });
    expect(error?.details).toMatchObject({ name: "RangeError", position: { file: "report.ts", line: 3 } });
    expect(error?.details?.stack).toContain("at fail (report.ts:3:");
    expect(JSON.stringify(error)).not.toContain(fixture.temp.path);
  });

  test("names the line of a syntax error", async () => {
    const { error } = await runner.run({ script: "const a = 1;\nconst b = ;" });
    expect(error).toMatchObject({ code: "E_RUN_SYNTAX", details: { position: { file: "script.ts", line: 2 } } });
  });

  test("takes what is thrown though it is no Error", async () => {
    expect((await runner.run({ script: "throw { a: 1 }" })).error?.message).toContain('{"a":1}');
    expect((await runner.run({ script: "throw null" })).error?.message).toContain("null");
  });

  test.each([
    ["a function", "export default () => 1"],
    ["a bigint", "export default 1n"],
    ["a cycle", "const a: any = {}; a.a = a; export default a"],
  ])("refuses a result that is %s", async (_, script) => {
    const { result, error } = await runner.run({ script });
    expect(result).toBeNull();
    expect(error).toMatchObject({ code: "E_RUN_FAILED", message: expect.stringContaining("JSON") });
  });

  test("may end its process itself", async () => {
    expect(await runner.run({ script: "process.exit(0)" })).toMatchObject({ result: null, exitCode: 0 });
    expect((await runner.run({ script: "process.exit(0)" })).error).toBeNull();
    expect(await runner.run({ script: "console.log('x'); process.exit(4)" })).toMatchObject({
      result: null,
      exitCode: 4,
      stdout: "x\n",
      error: { code: "E_RUN_FAILED", message: expect.stringContaining("4") },
    });
  });

  test("says that a promise never settled", async () => {
    const { error } = await runner.run({ script: "export default new Promise(() => {})" });
    expect(error).toMatchObject({ code: "E_RUN_FAILED", message: expect.stringContaining("never settles") });
  });
});

describe("the environment", () => {
  test("is the declared one and nothing of ours", async () => {
    process.env.LARDER_TEST_SECRET = "canary";
    try {
      const { result } = await runner.run({
        script: "export default { ...process.env, cwd: process.cwd() }",
        env: { GREETING: "hi" },
      });
      const env = result as Record<string, string>;
      expect(env.GREETING).toBe("hi");
      expect(env.HOME).toBe(env.cwd as string);
      expect(JSON.stringify(env)).not.toContain("canary");
    } finally {
      delete process.env.LARDER_TEST_SECRET;
    }
  });

  test.each([
    "NODE_OPTIONS",
    "LD_PRELOAD",
    "DYLD_INSERT_LIBRARIES",
    "BUN_OPTIONS",
    "BASH_ENV",
    "NODE_EXTRA_CA_CERTS",
    "PATH",
    "HOME",
    "NODE_PATH",
    "a b",
    "",
  ])("refuses to set %p", async (name) => {
    await expect(runner.run({ script: "1", env: { [name]: "x" } })).rejects.toMatchObject({ code: "E_INPUT" });
  });
});

test("nothing stays behind, whatever happened", async () => {
  const { store } = fixture;
  await Promise.all(
    ["export default 1", "throw 1", "process.exit(1)", "setInterval(() => {}, 9)", "import 'nope'"].map((script) =>
      runner.run({ script, timeoutMs: 500 }),
    ),
  );
  await expect(runner.run({ script: "1", env: { PATH: "x" } })).rejects.toThrow();
  await expect(runner.run({})).rejects.toMatchObject({ code: "E_INPUT" });
  await expect(runner.run({ file: fixture.temp.join("none.ts") })).rejects.toMatchObject({ code: "E_INPUT" });
  await expect(createRunner(store, { bunPath: "/nonexistent/bun" }).run({ script: "1" })).rejects.toMatchObject({
    code: "E_CONFIG",
  });
  expect(await readdir(runsFolder(store))).toEqual([]);
  expect((await readdir(join(store.directory, "leases"))).filter((name) => !name.endsWith(".sock"))).toEqual([]);
  expect(await readFile(join(store.directory, "tsconfig.json"), "utf8")).toBe("{}\n");
});
