import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { createRequestProof, runtimes } from "../../src/contract/index.ts";
import { openHostStore, readHostSelf } from "../../src/host/index.ts";
import type { RunResult } from "../../src/runner/index.ts";
import { openFixtureRegistry } from "../harness/fixture-registry.ts";
import { runLarder } from "../harness/processes.ts";
import { type LarderStack, openLarderStack, type Satellite } from "./larder-stack.ts";

let registry: Awaited<ReturnType<typeof openFixtureRegistry>>;
let stack: LarderStack;
let satellite: Satellite;
beforeAll(async () => {
  const versions = ["1.0.0", "2.0.0"].map((version) => ({
    name: "counter",
    version,
    files: { "index.js": `exports.version = ${JSON.stringify(version)};` },
  }));
  registry = await openFixtureRegistry(versions);
  stack = await openLarderStack({ registry: registry.url });
  satellite = await stack.startSatellite("sat");
  await stack.add("counter@1.0.0");
  await stack.install();
  await stack.add("counter@2.0.0");
  await stack.install();
}, 170_000);
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
});

const script = `import { version } from "counter";
console.log(process.env.REGION, typeof (globalThis as any).Bun === "undefined" ? "node" : "bun");
export default { version, who: (context as { who: string }).who };`;

describe("larder run", () => {
  test.each(runtimes)("takes a script, a context, variables and a runtime (%s), and prints one JSON value", async (runtime) => {
    const words = ["--context", '{"who": "you"}', "--env", "REGION=eu", "--runtime", runtime];
    const expected = { result: { version: "2.0.0", who: "you" }, error: null, stdout: `eu ${runtime}\n`, generation: 2, runtime };
    expect(await stack.run(script, words)).toMatchObject(expected);
    await writeFile(stack.join("job.ts"), script);
    const { code, json } = await stack.larder(["run", stack.join("job.ts"), ...words]);
    expect(code).toBe(0);
    expect(json<RunResult>()).toMatchObject(expected);
  });

  test("repeats a run on the generation that it had", async () => {
    const older = await stack.run(script, ["--context", '{"who": "you"}', "--generation", "1"]);
    expect(older).toMatchObject({ result: { version: "1.0.0" }, generation: 1 });
    const gone = await stack.larder(["run", "-", "--generation", "9"], { input: "1" });
    expect(gone.code).not.toBe(0);
    expect(gone.json()).toMatchObject({ error: { code: "E_NOT_FOUND", message: expect.stringContaining("generation 9") } });
  });

  test("shows people what went wrong, where, and the way out", async () => {
    const args = ["run", "-", "--data-dir", stack.dataDir];
    const { code, stdout, stderr } = await runLarder(args, { input: `console.log("first");\nimport "countr";` });
    expect(code).toBe(9);
    expect(stdout).toBe("");
    expect(stderr).toContain("E_NOT_ALLOWLISTED");
    expect(stderr).toContain("script.ts:2");
    expect(stderr).toContain("Did you mean counter?");
    const thrown = await runLarder(args, { input: `\nthrow new RangeError("mine");` });
    expect(thrown.stderr).toContain("RangeError: mine");
    expect(thrown.stderr).toMatch(/at .*script\.ts:2:\d+/);
  });

  test("refuses what it cannot take, by name", async () => {
    const failing: [args: string[], names: string][] = [
      [["--env", "NODE_OPTIONS=--inspect"], "NODE_OPTIONS"],
      [["--context", "{"], "--context"],
      [["--runtime", "deno"], "--runtime"],
      [["--generation", "x"], "--generation"],
    ];
    for (const [args, names] of failing) {
      const { code, stdout, stderr } = await stack.larder(["run", "-", ...args], { input: "1" });
      expect(code).not.toBe(0);
      expect(stdout + stderr).toContain(names);
    }
  });
});

describe("POST /api/hosts/:id/runs", () => {
  const send = async (host: string, body: unknown, init: RequestInit = {}) => {
    const answer = await stack.api(`/hosts/${host}/runs`, { method: "POST", body: JSON.stringify(body), ...init });
    return { status: answer.status, body: (await answer.json()) as RunResult & { code?: string; hint?: string } };
  };

  test.each(runtimes)("runs a script on a host that allows it (%s)", async (runtime) => {
    const { status, body } = await send("local", { script, context: { who: "you" }, env: { REGION: "eu" }, runtime });
    expect(status).toBe(200);
    expect(body).toMatchObject({ result: { version: "2.0.0", who: "you" }, error: null, stdout: `eu ${runtime}\n`, runtime });
    expect(body.confinement.processLimit).toBeString();
  });

  test("takes a generation, limits and a name, and says what the script did wrong", async () => {
    const older = await send("local", { script, context: { who: "you" }, generation: 1 });
    expect(older.body).toMatchObject({ result: { version: "1.0.0" }, generation: 1 });
    const slow = await send("local", { script: "for (;;) {}", timeoutMs: 300 });
    expect(slow).toMatchObject({ status: 200, body: { result: null, error: { code: "E_RUN_TIMEOUT" } } });
    const broken = await send("local", { script: "\nconst a = ;", name: "report.ts" });
    expect(broken.body.error).toMatchObject({ code: "E_RUN_SYNTAX", details: { position: { file: "report.ts", line: 2 } } });
    expect((await send("local", { script, generation: 9 })).body.code).toBe("E_NOT_FOUND");
    expect((await send("local", { script, env: { LD_PRELOAD: "x" } })).body.code).toBe("E_INPUT");
  });

  test("is refused by a host that does not allow it, and for one that does not exist", async () => {
    const refused = await send(satellite.id, { script: "1" });
    expect(refused).toMatchObject({ status: 409, body: { code: "E_RUNS_NOT_ALLOWED" } });
    expect(refused.body.hint).toContain("--allow-runs");
    expect((await send("nowhere", { script: "1" })).status).toBe(404);
  });

  test("is for people who may, not for hosts", async () => {
    await using store = await openHostStore({ directory: satellite.dataDir });
    const self = await readHostSelf(store);
    if (!self) throw new Error("the satellite has not joined");
    const body = JSON.stringify({ script: "1" });
    const proof = await createRequestProof(self, { method: "POST", path: "/api/hosts/local/runs", body, atMs: Date.now() });
    expect((await send("local", { script: "1" }, { headers: { authorization: proof } })).status).toBe(403);
    expect((await send("local", { script: "1" }, { headers: { authorization: "Bearer ldr_no" } })).status).toBe(401);
  });

  test("serves 40 callers at once", async () => {
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, i) => send("local", { script: "export default context", context: i, timeoutMs: 100_000 })),
    );
    expect(all.map(({ body }) => body.result)).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });
});
