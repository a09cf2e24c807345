import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildGeneration } from "../../test/harness/fixture-generation.ts";
import { generation } from "../../test/harness/runner-packages.ts";
import { openTestStore, type TestStore } from "../../test/harness/runner-stage.ts";
import { runtimes } from "../contract/index.ts";
import { manifestPath, manifestsFolder } from "../host/index.ts";
import { createRunner, type RunRequest } from "./index.ts";

let fixture: TestStore;
beforeAll(async () => {
  fixture = await openTestStore();
  await fixture.serve(generation, 1);
  // What the agent was told to serve next, and has not built yet.
  await accept(buildGeneration([{ name: "coming", version: "1.0.0" }], ["coming"]), 2);
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** Each error that a user of the runner may meet, what it names, and the way out that it shows. */
const errors: [what: string, request: RunRequest, code: string, names: string, wayOut: string][] = [
  ["not allowlisted", { script: `import "lodash"` }, "E_NOT_ALLOWLISTED", "lodash", "larder add lodash"],
  ["nearly allowlisted", { script: `import "greter"` }, "E_NOT_ALLOWLISTED", "greter", "Did you mean greeter?"],
  ["a dependency of others", { script: `import "inner"` }, "E_NOT_ALLOWLISTED", "dependency", "larder add inner"],
  ["not on this host yet", { script: `import "coming"` }, "E_NOT_ON_HOST", "generation 2", "when the host has caught up"],
  ["not for this platform", { script: `import "elsewhere"` }, "E_PLATFORM", "elsewhere", "another host"],
  ["a subpath", { script: `import "@corp/utils/subs"` }, "E_SUBPATH", "@corp/utils/subs", "Did you mean @corp/utils/sub?"],
  ["a second file", { script: `import "./lib.ts"` }, "E_MODULE_NOT_FOUND", "./lib.ts", "one file"],
  ["an address", { script: `import "https://a.example/x.js"` }, "E_MODULE_NOT_FOUND", "https:", "Allowlist the package"],
  ["time", { script: "for (;;) {}", timeoutMs: 300 }, "E_RUN_TIMEOUT", "300 ms", "allow more time"],
  ["processor time", { script: "for (;;) {}", cpuMs: 300 }, "E_RUN_LIMIT", "300 ms of processor time", "allow more"],
  [
    "memory",
    {
      script:
        "const kept: unknown[] = []; for (;;) { kept.push(new Array(1e5).fill(1.5)); await new Promise((r) => setTimeout(r, 1)) }",
      memoryMb: 200,
      timeoutMs: 60_000,
    },
    "E_RUN_MEMORY",
    "200 MiB",
    "allow more",
  ],
  ["a syntax error", { script: "const a = 1;\nconst b = ;", name: "job.ts" }, "E_RUN_SYNTAX", "SyntaxError", "job.ts at line 2"],
  ["no JSON form", { script: "export default () => 1" }, "E_RUN_FAILED", "JSON", "export default await main()"],
  [
    "a crash",
    { script: "process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {})" },
    "E_RUN_KILLED",
    "SIGSEGV",
    "crash",
  ],
];

describe.each(runtimes)("an error of a run under %s", (runtime) => {
  test.each(errors)("has a code and a way out: %s", async (_, request, code, names, wayOut) => {
    const { error, result } = await createRunner(fixture.store).run({ runtime, ...request });
    expect(result).toBeNull();
    expect(error).toMatchObject({ code, message: expect.stringContaining(names), hint: expect.stringContaining(wayOut) });
    expect(JSON.stringify(error)).not.toContain(fixture.temp.path);
  });

  test("is none when output was cut off: a warning says so, and what to do", async () => {
    const { error, result, warnings, stdout } = await createRunner(fixture.store).run({
      runtime,
      script: "console.log('x'.repeat(1000)); export default 1",
      outputBytes: 10,
    });
    expect([error, result]).toEqual([null, 1]);
    expect(stdout).toBe(`${"x".repeat(10)}\n[output cut after 10 bytes]\n`);
    expect(warnings).toMatchObject([{ code: "E_RUN_OUTPUT", hint: expect.stringContaining("allow more") }]);
  });
});

test("a run before the first tree is built says what to wait for", async () => {
  await using fresh = await openTestStore();
  await accept(generation, 1, fresh);
  await expect(createRunner(fresh.store).run({ script: "1" })).rejects.toMatchObject({
    code: "E_NOT_READY",
    retryable: true,
    hint: expect.stringContaining("larder reconcile"),
  });
});

/** As an agent does before it begins to build. */
async function accept(
  { lockfileHash, manifestDigest, bytes }: ReturnType<typeof buildGeneration>,
  number: number,
  { store } = fixture,
): Promise<void> {
  await mkdir(manifestsFolder(store), { recursive: true });
  await writeFile(manifestPath(store, lockfileHash), bytes);
  const accepted = { format: 1, generation: number, lockfileHash, manifestDigest, issuedAt: new Date().toISOString() };
  await writeFile(join(store.layout.state, "accepted.json"), JSON.stringify(accepted));
}
