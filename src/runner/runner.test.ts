import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildGeneration } from "../../test/harness/fixture-generation.ts";
import { processesAt } from "../../test/harness/leaks.ts";
import { until } from "../../test/harness/until.ts";
import { createRunner, type Runner } from "./index.ts";
import { openTestStore, runsFolder, type TestStore } from "./testing/open-test-store.ts";

const generation = buildGeneration(
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

let fixture: TestStore;
let runner: Runner;

beforeAll(async () => {
  fixture = await openTestStore();
  await fixture.serve(generation, 1);
  runner = createRunner(fixture.store, {
    readManifest: async (hash) => (hash === generation.lockfileHash ? generation.manifest : undefined),
  });
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
    expect(result.error).toBeUndefined();
  });

  test("returns what a promise gives, and null without a default export", async () => {
    expect((await runner.run({ script: "export default new Promise((r) => setTimeout(() => r([1]), 5))" })).result).toEqual([1]);
    expect(await runner.run({ script: "console.log(1)" })).toMatchObject({ result: null, stdout: "1\n", exitCode: 0 });
  });

  test("is the main module, and sees no arguments of ours", async () => {
    const script = "export default { main: import.meta.main, args: process.argv.slice(2) }";
    expect((await runner.run({ script })).result).toEqual({ main: true, args: [] });
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
    expect(error).toMatchObject({ code: "E_RUN_FAILED", details: { position: { file: "script.ts", line: 2 } } });
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
    expect((await runner.run({ script: "process.exit(0)" })).error).toBeUndefined();
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

describe("a module that is not there", () => {
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
    ["a subpath that the package does not export", `import "@corp/utils/nope"`],
    ["a required one", `require("greeter/nope")`],
    ["a file beside the script", `import "./lib.ts"`],
    ["an unknown built-in", `import "node:nope"`],
    ["an address", `import "https://example.com/x.js"`],
  ])("is not blamed on the allowlist when it is %s", async (_, script) => {
    expect((await runner.run({ script })).error?.code).toBe("E_MODULE_NOT_FOUND");
  });

  test("is the package's fault when the package does not declare it", async () => {
    const { error } = await runner.run({ script: `import { undeclared } from "greeter"; undeclared()` });
    expect(error).toMatchObject({
      code: "E_MODULE_NOT_FOUND",
      message: expect.stringContaining("node_modules/greeter/index.js"),
    });
  });
});

describe("what lies around the store", () => {
  let around: TestStore;
  let inProject: Runner;
  beforeAll(async () => {
    around = await openTestStore();
    const project = around.temp.join("project");
    for (const name of ["stray", "greeter"]) {
      await mkdir(join(project, "node_modules", name), { recursive: true });
      await writeFile(join(project, "node_modules", name, "index.js"), `module.exports = "from outside";`);
      await writeFile(join(project, "node_modules", name, "extra.js"), `module.exports = "from outside";`);
    }
    await mkdir(join(project, "src"));
    await writeFile(join(project, "src", "mapped.js"), `module.exports = "from outside";`);
    await writeFile(
      join(project, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { paths: { inner: ["./src/mapped.js"], mapped: ["./src/mapped.js"] } } }),
    );
    await writeFile(
      join(project, "package.json"),
      JSON.stringify({ name: "project", imports: { "#own": "./src/mapped.js" }, exports: "./src/mapped.js" }),
    );
    await around.serve(generation, 1);
    inProject = createRunner(around.store);
  });
  afterAll(() => around[Symbol.asyncDispose]());

  test.each([
    ["import", `import stray from "stray"; console.log(stray)`],
    ["import()", `await import("stray")`],
    ["require", `require("stray")`],
  ])("a script cannot load a project's package (%s)", async (_, script) => {
    const { error } = await inProject.run({ script });
    expect(error).toMatchObject({ code: "E_NOT_ALLOWLISTED", details: { package: "stray" } });
  });

  test("a package cannot, and learns it as of any missing module", async () => {
    const script = `import { undeclared } from "greeter"; let code; try { undeclared() } catch (e: any) { code = e.code } export default code`;
    expect((await inProject.run({ script })).result).toBe("MODULE_NOT_FOUND");
    const { error } = await inProject.run({ script: `import { undeclared } from "greeter"; undeclared()` });
    expect(error?.code).toBe("E_MODULE_NOT_FOUND");
  });

  test("a subpath that a package lacks is not taken from a project's copy of it", async () => {
    expect((await inProject.run({ script: `require("greeter/extra.js")` })).error?.code).toBe("E_MODULE_NOT_FOUND");
  });

  test("worker threads cannot either", async () => {
    const worker = `let r; try { r = require("stray") } catch (e) { r = e.code } postMessage(r)`;
    const script = `import { writeFileSync } from "node:fs"; writeFileSync("w.js", ${JSON.stringify(worker)});
      export default await new Promise((resolve) => { const w = new Worker("./w.js"); w.onmessage = (e) => { resolve(e.data); w.terminate() } })`;
    expect((await inProject.run({ script })).result).toBe("MODULE_NOT_FOUND");
  });

  test("its tsconfig and package.json change nothing", async () => {
    const told = await inProject.run({ script: `import { greet } from "greeter"; export default greet("you")` });
    expect(told.result).toBe("hello you");
    for (const name of ["mapped", "project"])
      expect((await inProject.run({ script: `import x from "${name}"; console.log(x)` })).error?.code).toBe("E_NOT_ALLOWLISTED");
    expect((await inProject.run({ script: `import x from "#own"; console.log(x)` })).error?.code).toBe("E_MODULE_NOT_FOUND");
  });

  test("packages of the tree work as ever, and so do files that the script writes", async () => {
    const script = `import { writeFileSync } from "node:fs"; import { late } from "greeter"; writeFileSync("own.ts", "export default 3 as number");
      export default [(await late()).default, (await import("./own.ts")).default]`;
    expect((await inProject.run({ script })).result).toEqual(["late of 1", 3]);
  });
});

describe("limits", () => {
  test("the time limit kills the whole group, and says whether the result was there", async () => {
    const script = `import { spawn } from "node:child_process"; spawn("sleep", ["60"]); await new Promise((r) => setTimeout(r, 60000))`;
    const started = performance.now();
    const { error, exitCode } = await runner.run({ script, timeoutMs: 300 });
    expect(error).toMatchObject({ code: "E_RUN_TIMEOUT", message: expect.stringContaining("300 ms") });
    expect(exitCode).toBeNull();
    expect(performance.now() - started).toBeLessThan(3000);
    const open = await runner.run({ script: "setInterval(() => {}, 1000); export default 1", timeoutMs: 300 });
    expect(open.error?.hint).toContain("had given its result");
  });

  test("descendants that left the group are found, on a kill and on a normal end", async () => {
    const spawn = `import { spawn } from "node:child_process"; spawn("setsid", ["sh", "-c", "sleep 61 & sleep 61"], { stdio: "ignore", detached: true }).unref(); await new Promise((r) => setTimeout(r, 100));`;
    await runner.run({ script: `${spawn} setInterval(() => {}, 1000)`, timeoutMs: 400 });
    await until("none is left after a kill", async () => (await processesAt(runsFolder(fixture.store))).length === 0);
    await runner.run({ script: spawn });
    await until("none is left after a normal end", async () => (await processesAt(runsFolder(fixture.store))).length === 0);
  });

  test("output is cut at its limit, with a mark, and goes on being drained", async () => {
    const script = `for (let i = 0; i < 2000; i++) console.log("é".repeat(1000)); console.error("fine"); export default "done"`;
    const seen: string[] = [];
    const result = await runner.run({
      script,
      outputBytes: 10_001,
      onOutput: (stream, text) => seen.push(`${stream}:${text.length}`),
    });
    expect(result).toMatchObject({ result: "done", outputTruncated: true, stderr: "fine\n" });
    expect(result.stdout).toEndWith("\n[output cut after 10001 bytes]\n");
    expect(result.stdout).not.toContain("\uFFFD");
    expect(Buffer.byteLength(result.stdout)).toBeLessThan(10_100);
    expect(seen.length).toBeGreaterThan(1);
  });

  test.skipIf(process.platform !== "linux")("memory is bounded when asked for", async () => {
    const script =
      "const kept: unknown[] = []; for (;;) { kept.push(new Array(1e5).fill(1.5)); await new Promise((r) => setTimeout(r, 1)) }";
    const { error } = await runner.run({ script, memoryMb: 200, timeoutMs: 20_000 });
    expect(error).toMatchObject({ code: "E_RUN_KILLED", message: expect.stringContaining("200 MiB") });
  });

  test("a crash names its signal", async () => {
    const { error, exitCode } = await runner.run({ script: "process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {})" });
    expect(error).toMatchObject({ code: "E_RUN_KILLED", details: { signal: "SIGSEGV" } });
    expect(exitCode).toBeNull();
  });

  test("a signal cancels it", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 150);
    const { error } = await runner.run({ script: "await new Promise((r) => setTimeout(r, 60000))", signal: stop.signal });
    expect(error?.code).toBe("E_CANCELLED");
    expect((await runner.run({ script: "1", signal: AbortSignal.abort() })).error?.code).toBe("E_CANCELLED");
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

describe("the tree of a run", () => {
  const next = buildGeneration(
    [
      {
        name: "greeter",
        version: "2.0.0",
        files: { "index.js": `exports.late = () => import("./late.mjs");`, "late.mjs": `export default "late of 2";` },
      },
    ],
    ["greeter"],
  );
  const third = buildGeneration([], []);

  test("stays the same through flips and sweeps, and is released at the end", async () => {
    await using own = await openTestStore();
    await own.serve(generation, 1);
    const run = createRunner(own.store).run({
      script: `import { late } from "greeter"; console.log("started"); await new Promise((r) => setTimeout(r, 600)); export default (await late()).default`,
    });
    await until("it has its lease", async () => (await readdir(runsFolder(own.store))).length === 1);
    await own.serve(next, 2);
    await own.serve(third, 3);
    await own.sweep();
    expect(await run).toMatchObject({ result: "late of 1", generation: 1 });
    await own.sweep();
    expect(await readdir(join(own.store.directory, "trees"))).not.toContain(generation.lockfileHash);
  });

  test("may be asked for by generation, while it is there", async () => {
    await using own = await openTestStore();
    await own.serve(generation, 1);
    await own.serve(next, 2);
    const older = createRunner(own.store);
    const script = `import { late } from "greeter"; export default (await late()).default`;
    expect(await older.run({ script, generation: 1 })).toMatchObject({ result: "late of 1", generation: 1 });
    expect(await older.run({ script })).toMatchObject({ result: "late of 2", generation: 2 });
    await expect(older.run({ script, generation: 9 })).rejects.toMatchObject({ code: "E_NOT_FOUND" });
  });

  test("may be none on a host that never had one", async () => {
    await using own = await openTestStore();
    const bare = createRunner(own.store);
    expect(await bare.run({ script: "export default 1" })).toMatchObject({ result: 1, generation: 0 });
    const { error } = await bare.run({ script: `import "greeter"` });
    expect(error).toMatchObject({ code: "E_NOT_ALLOWLISTED", message: expect.stringContaining("no packages were installed") });
  });

  test("may be empty", async () => {
    await using own = await openTestStore();
    await own.serve(third, 1);
    expect(await createRunner(own.store).run({ script: "export default 1" })).toMatchObject({ result: 1, generation: 1 });
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
