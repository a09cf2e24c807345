import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { processesAt } from "../../test/harness/leaks.ts";
import { generation } from "../../test/harness/runner-packages.ts";
import { openTestStore, runsFolder, type TestStore } from "../../test/harness/runner-stage.ts";
import { until } from "../../test/harness/until.ts";
import { createRunner, type Runner } from "./index.ts";

let fixture: TestStore;
let runner: Runner;

beforeAll(async () => {
  fixture = await openTestStore();
  await fixture.serve(generation, 1);
  runner = createRunner(fixture.store);
});
afterAll(() => fixture[Symbol.asyncDispose]());

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
    expect(error).toMatchObject({ code: "E_RUN_MEMORY", message: expect.stringContaining("200 MiB") });
  });

  test("a crash names its signal", async () => {
    const { error, exitCode } = await runner.run({ script: "process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {})" });
    expect(error).toMatchObject({ code: "E_RUN_KILLED", details: { signal: "SIGSEGV" } });
    expect(exitCode).toBeNull();
  });

  test("an abort goes by the name that everybody knows", async () => {
    const { error } = await runner.run({ script: "process.kill(process.pid, 'SIGABRT'); await new Promise(() => {})" });
    expect(error?.details).toEqual({ signal: "SIGABRT" });
  });

  test("a signal cancels it", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 150);
    const { error } = await runner.run({ script: "await new Promise((r) => setTimeout(r, 60000))", signal: stop.signal });
    expect(error?.code).toBe("E_CANCELLED");
    expect((await runner.run({ script: "1", signal: AbortSignal.abort() })).error?.code).toBe("E_CANCELLED");
  });
});
