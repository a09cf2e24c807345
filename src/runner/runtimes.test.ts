import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { generation } from "../../test/harness/runner-packages.ts";
import { openTestStore, type TestStore } from "../../test/harness/runner-stage.ts";
import { createRunner, type Runner, type RunRequest, type RunResult } from "./index.ts";

let fixture: TestStore;
let runner: Runner;

beforeAll(async () => {
  fixture = await openTestStore();
  await fixture.serve(generation, 1);
  runner = createRunner(fixture.store);
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** What has to be the same under every runtime. */
const cases: [title: string, request: RunRequest, expected: Partial<RunResult> | object][] = [
  ["a value", { script: "export default 1" }, { result: 1, exitCode: 0 }],
  ["a promise", { script: "export default Promise.resolve([1])" }, { result: [1] }],
  ["top-level await", { script: "const a = await Promise.resolve(2); export default a" }, { result: 2 }],
  ["no default export", { script: "console.log('x')" }, { result: null, stdout: "x\n" }],
  ["the context", { script: "export default context.who as string", context: { who: "you" } }, { result: "you" }],
  [
    "TypeScript",
    {
      script: `enum Color { Red = 1, Blue }
        namespace Inner { export const a = 1 }
        class P { constructor(private readonly n: number) {} get(): number { return this.n } }
        type T = { a?: number }; const t = { a: 1 } satisfies T;
        export default [Color.Blue, Inner.a, new P(3).get(), t.a!] as const`,
    },
    { result: [2, 1, 3, 1] },
  ],
  [
    "packages",
    { script: `import { greet } from "greeter"; import { sub } from "@corp/utils/sub"; export default [greet("a"), sub]` },
    { result: ["hello a", true] },
  ],
  ["a late import", { script: `import { late } from "greeter"; export default (await late()).default` }, { result: "late of 1" }],
  ["require", { script: `const { kind } = require("@corp/utils"); export default kind` }, { result: "scoped" }],
  [
    "require beside import",
    { script: `import { greet } from "greeter"; const { kind } = require("@corp/utils"); export default greet(kind)` },
    { result: "hello scoped" },
  ],
  ["CommonJS", { script: `const { kind } = require("@corp/utils"); module.exports = { kind }` }, { result: { kind: "scoped" } }],
  ["a JavaScript file's name", { script: "export default 1", name: "job.mjs" }, { result: 1 }],
  ["the environment", { script: "export default process.env.REGION", env: { REGION: "eu" } }, { result: "eu" }],
  ["no arguments", { script: "export default process.argv.slice(2)" }, { result: [] }],
  [
    "its own directory to write to",
    {
      script: `import { readFileSync, writeFileSync } from "node:fs"; writeFileSync("a.txt", "x"); export default readFileSync("a.txt", "utf8")`,
    },
    { result: "x" },
  ],
  ["standard error", { script: "console.error('e')" }, { stderr: "e\n", stdout: "" }],
  ["process.exit(0)", { script: "process.exit(0)" }, { result: null, exitCode: 0 }],
  ["process.exit(4)", { script: "process.exit(4)" }, { exitCode: 4, error: { code: "E_RUN_FAILED" } }],
  ["process.exit(139)", { script: "process.exit(139)" }, { exitCode: 139, error: { code: "E_RUN_FAILED" } }],
  [
    "a crash",
    { script: "process.kill(process.pid, 'SIGSEGV'); await new Promise((r) => setTimeout(r, 5000))" },
    { exitCode: null, error: { code: "E_RUN_KILLED", details: { signal: "SIGSEGV" } } },
  ],
  ["a thrown value", { script: "throw { a: 1 }" }, { error: { code: "E_RUN_FAILED" } }],
  [
    "an unhandled rejection",
    { script: "Promise.reject(new Error('lost')); export default 1" },
    { error: { code: "E_RUN_FAILED", message: "Error: lost" } },
  ],
  [
    "a late exception",
    { script: "setTimeout(() => {\n  throw new Error('late') }, 1)" },
    { error: { details: { position: { line: 2 } } } },
  ],
  [
    "a promise that never settles",
    { script: "export default new Promise(() => {})" },
    { error: { message: expect.stringContaining("never settles") } },
  ],
  ["a result without a JSON form", { script: "export default () => 1" }, { error: { code: "E_RUN_FAILED" } }],
  [
    "a syntax error",
    { script: "const a = 1;\nconst b = ;" },
    { error: { code: "E_RUN_SYNTAX", details: { position: { file: "script.ts", line: 2 } } } },
  ],
  [
    "an export that is not there",
    { script: `import { nope } from "@corp/utils/sub"; console.log(nope)`, name: "a.mjs" },
    { error: { code: "E_RUN_FAILED", message: expect.stringContaining("nope") } },
  ],
  ["the time limit", { script: "for (;;) {}", timeoutMs: 300 }, { exitCode: null, error: { code: "E_RUN_TIMEOUT" } }],
];

for (const [title, request, expected] of cases) {
  describe(title, () => {
    for (const runtime of ["bun", "node"] as const) {
      test(`is the same under ${runtime}`, async () => {
        expect(await runner.run({ ...request, runtime })).toMatchObject({ runtime, generation: 1, ...expected });
      });
    }
  });
}

test("a stack names the user's own lines under both", async () => {
  const script = `type N = number;

interface Unused { a: string }
function fail(n: N): never {
  throw new RangeError("no " + n);
}
export default fail(7);
`;
  for (const runtime of ["bun", "node"] as const) {
    const { error } = await runner.run({ script, name: "report.ts", runtime });
    expect(error).toMatchObject({
      code: "E_RUN_FAILED",
      message: "RangeError: no 7",
      details: { position: { file: "report.ts", line: 5 } },
    });
    expect(error?.details?.stack).toContain("report.ts:7:");
    expect(JSON.stringify(error)).not.toContain(fixture.temp.path);
    expect(JSON.stringify(error)).not.toContain("file:");
  }
});

test("a runtime that is not there is said by name", async () => {
  await expect(
    createRunner(fixture.store, { nodePath: "/nonexistent/node" }).run({ script: "1", runtime: "node" }),
  ).rejects.toMatchObject({
    code: "E_CONFIG",
    message: expect.stringContaining("/nonexistent/node"),
  });
  await expect(runner.run({ script: "1", runtime: "deno" as "bun" })).rejects.toMatchObject({ code: "E_INPUT" });
});
