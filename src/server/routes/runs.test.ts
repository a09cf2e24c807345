import { afterAll, beforeAll, expect, test } from "bun:test";
import { until } from "../../../test/harness/until.ts";
import type { HostReport, RunResult } from "../../contract/index.ts";
import { listAudit } from "../../db/index.ts";
import { type Caller, openTestServer, refusalOf, type TestClient, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
let host: TestClient;
let author: TestClient;

const report: HostReport = {
  phase: "ready",
  generation: 1,
  platform: { os: "linux", cpu: "x64", libc: "glibc" },
  agentVersion: "0.1.0",
  runsInFlight: 0,
};
const result: RunResult = {
  error: null,
  result: { odd: "nul \u0000 and \ud83d" },
  warnings: [],
  stdout: "a\u0000b",
  stderr: "",
  outputTruncated: false,
  exitCode: 0,
  durationMs: 5,
  generation: 1,
  runtime: "bun",
  confinement: { processes: "namespace", processLimit: "namespace", treeReadOnly: true, limits: [] },
};

beforeAll(async () => {
  server = await openTestServer();
  host = server.client(await server.join("worker"));
  author = server.client((await server.admin.tokens.create({ role: "author", subject: "anna" })).text);
  await host.hosts.report(report);
});
afterAll(() => server[Symbol.asyncDispose]());

/** What an agent does: hears of it, takes it, answers. */
async function answerNext(outcome: Parameters<TestClient["hosts"]["finishRun"]>[0]["outcome"]) {
  const [run] = await until("a script waits", async () => {
    const claimed = await host.hosts.claimRuns({ max: 5 });
    return claimed.length > 0 ? claimed : undefined;
  });
  if (!run) throw new Error("nothing was claimed");
  expect(await host.hosts.claimRuns({ max: 5 })).toEqual([]);
  return { run, ended: await host.hosts.finishRun({ id: run.id, outcome }) };
}

test("a script goes to its host and its result comes back, whatever characters are in it; one row says who asked", async () => {
  const sent = author.hosts.run({
    id: "worker",
    script: "export default 1",
    context: { a: [1] },
    env: { A: "b" },
    timeoutMs: 1000,
  });
  const { run, ended } = await answerNext({ result });
  expect(run.request).toEqual({ script: "export default 1", context: { a: [1] }, env: { A: "b" }, timeoutMs: 1000 });
  expect(ended).toEqual({ awaited: true });
  expect(await sent).toEqual(result);
  expect(await host.hosts.finishRun({ id: run.id, outcome: { result } })).toEqual({ awaited: false });
  const rows = (await listAudit(server.context.db.query)).filter(({ action }) => action === "host.run");
  expect(rows).toMatchObject([{ actor: "anna", target: "worker", details: { runtime: "bun" } }]);
  expect(JSON.stringify(rows)).not.toContain("export default");
});

test("what a host refuses is the caller's answer", async () => {
  const sent = refusalOf(author.hosts.run({ id: "worker", script: "1" }));
  await answerNext({ error: { code: "E_RUNS_NOT_ALLOWED", message: "no", hint: "ask" } });
  expect(await sent).toMatchObject({ code: "E_RUNS_NOT_ALLOWED", hint: "ask" });
});

test("a host hears of it by an event, users do not", async () => {
  const stop = new AbortController();
  const heard = async (client: Caller | undefined) => {
    const response = await server.fetch("/api/events", { token: client, signal: stop.signal });
    let text = "";
    void (async () => {
      for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk);
    })().catch(() => undefined);
    return () => text;
  };
  const token = await server.join("listener");
  const own = server.client(token);
  await own.hosts.report(report);
  const [byHost, byAdmin] = [await heard(token), await heard(server.adminToken)];
  const sent = author.hosts.run({ id: "listener", script: "1" });
  await until("the host hears", () => byHost().includes('{"type":"run","hostId":"listener"}'));
  const [run] = await own.hosts.claimRuns({ max: 1 });
  await own.hosts.finishRun({ id: run?.id ?? "", outcome: { result } });
  await sent;
  expect(byAdmin()).not.toContain('"type":"run"');
  stop.abort();
});

test("a host that is away, unknown or new is said at once", async () => {
  await server.join("silent");
  expect(await refusalOf(author.hosts.run({ id: "silent", script: "1" }))).toMatchObject({ code: "E_HOST_AWAY" });
  expect(await refusalOf(author.hosts.run({ id: "nobody", script: "1" }))).toMatchObject({ code: "E_NOT_FOUND" });
});

test("one host neither sees nor answers another's", async () => {
  const token = await server.join("other");
  const other = server.client(token);
  const sent = author.hosts.run({ id: "worker", script: "1" });
  await until("it is queued", async () => (await listAudit(server.context.db.query))[0]?.action === "host.run" || undefined);
  expect(await other.hosts.claimRuns({ max: 5 })).toEqual([]);
  const [run] = await host.hosts.claimRuns({ max: 1 });
  expect(await other.hosts.finishRun({ id: run?.id ?? "", outcome: { result: { ...result, result: "forged" } } })).toEqual({
    awaited: false,
  });
  await host.hosts.finishRun({ id: run?.id ?? "", outcome: { result } });
  expect((await sent).result).toEqual(result.result);
});

test("limits and bodies are bounded", async () => {
  const run = (input: object) => refusalOf(author.hosts.run({ id: "worker", script: "1", ...input }));
  expect(await run({ timeoutMs: 86_400_000 })).toMatchObject({ code: "E_INPUT", details: { field: "timeoutMs" } });
  expect(await run({ script: "x".repeat(600_000) })).toMatchObject({ code: "E_INPUT" });
  expect(await run({ script: "x".repeat(2_000_000) })).toMatchObject({ code: "E_TOO_LARGE" });
  expect(await run({ outputBytes: 1_000_000 })).toMatchObject({ code: "E_INPUT" });
});
