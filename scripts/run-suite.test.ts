import { expect, test } from "bun:test";
import { openTempDir } from "../test/harness/temp-dir.ts";
import { parseJunit } from "./junit.ts";
import { runSuite } from "./run-suite.ts";

const neverAborted = new AbortController().signal;

async function run(files: Record<string, string>, { deadlineMs = 20_000, parallel = 1 } = {}) {
  await using dir = await openTempDir("suite");
  for (const [name, source] of Object.entries(files))
    await Bun.write(dir.join(name), `import { test, expect } from "bun:test";\n${source}`);
  const suite = { name: "sample", files: Object.keys(files), parallel, testTimeoutMs: 5000, deadlineMs };
  const result = await runSuite(dir.path, suite, { args: [], signal: neverAborted, quiet: true });
  return {
    passed: result.passed,
    failed: result.failed.map(({ name }) => name),
    skipped: result.skipped.map(({ name }) => name),
  };
}

test("passed, failed and skipped tests are counted by name", async () => {
  const source = `test("good", () => {}); test("bad & <ugly>", () => expect(1).toBe(2)); test.skip("later (skipped: no moon)", () => {});`;
  expect(await run({ "a.test.ts": source })).toEqual({
    passed: 1,
    failed: ["bad & <ugly>"],
    skipped: ["later (skipped: no moon)"],
  });
});

test("a file that does not load is a failure", async () => {
  const { passed, failed } = await run({
    "a.test.ts": `test("x", () => {});`,
    "b.test.ts": `import "./missing.ts"; test("y", () => {});`,
  });
  expect(passed).toBe(1);
  expect(failed).toEqual(["no result: it did not load, or holds no test"]);
});

test("a run that dies is a failure, however many tests had passed", async () => {
  const { failed } = await run({
    "a.test.ts": `test("x", () => {});`,
    "b.test.ts": `test("y", () => process.kill(process.pid, "SIGKILL"));`,
  });
  expect(failed).toEqual(Array(2).fill("no result: the process was ended by SIGKILL"));
});

test("files at a time are counted like files in turn, and one that dies is a failure", async () => {
  const files = {
    "a.test.ts": `test("x", () => {});`,
    "b.test.ts": `test("y", () => {});`,
    "c.test.ts": `test("z", () => expect(1).toBe(2));`,
  };
  expect(await run(files, { parallel: 2 })).toEqual({ passed: 2, failed: ["z"], skipped: [] });
  const dying = { ...files, "c.test.ts": `test("z", () => process.kill(process.pid, "SIGKILL"));` };
  expect((await run(dying, { parallel: 2 })).failed.length).toBeGreaterThan(0);
});

test("a run past its deadline is stopped", async () => {
  const source = `test("sleeps", async () => { await Bun.sleep(60_000); }, 60_000);`;
  expect((await run({ "a.test.ts": source }, { deadlineMs: 500 })).failed).toEqual([expect.stringContaining("stopped after")]);
});

test("a report's failures are read with entities and groups", () => {
  const report = `<testcase name="a &gt; b &#10;" classname="g" file="f.test.ts"><failure message="x"/></testcase><testcase name="c" classname="" file="f.test.ts" />`;
  expect(parseJunit(report)).toEqual([
    { file: "f.test.ts", name: "g > a > b \n", outcome: "failed" },
    { file: "f.test.ts", name: "c", outcome: "passed" },
  ]);
});
