import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { until } from "../../../test/harness/until.ts";
import { defaultEnvironment, parsePlatform, rawRoutes } from "../../contract/index.ts";
import { commitTestGeneration } from "../testing/test-generation.ts";
import { openTestServer, type TestServer } from "../testing/test-server.ts";
import { openMetricsListener } from "./metrics-listener.ts";

let server: TestServer;
let token: string;
beforeAll(async () => {
  server = await openTestServer();
  token = (await server.admin.tokens.create({ role: "metrics", subject: "prometheus" })).text;
});
afterAll(() => server[Symbol.asyncDispose]());

/** A sample's value by its name with labels, as written. */
async function scrape(): Promise<Map<string, number>> {
  const answer = await server.fetch(rawRoutes.metrics, { token });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
  const lines = (await answer.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]));
}

test("hosts, generations, blobs, operations, requests and streams are counted", async () => {
  const host = await server.join("host-a");
  await server.join("host-b");
  await commitTestGeneration(server.context, { content: Buffer.from("12345") });
  const report = {
    phase: "syncing",
    generation: 0,
    platform: parsePlatform("linux-x64-glibc"),
    agentVersion: "1",
    runsInFlight: 0,
  };
  const reported = await server.fetch(`${rawRoutes.self}/report`, {
    method: "PUT",
    token: host,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(report),
  });
  expect(reported.status).toBe(200);
  const { operation } = await server.admin.installs.start({ environment: defaultEnvironment });
  await until("the install has ended", async () => (await server.admin.operations.get({ id: operation.id })).endedAt);
  const abort = new AbortController();
  await server.fetch(rawRoutes.events, { token: host, signal: abort.signal });
  await server.fetch("/api/nothing");

  const samples = await scrape();
  const expected = {
    'larder_hosts{environment="default",phase="pending"}': 1,
    'larder_hosts{environment="default",phase="syncing"}': 1,
    'larder_hosts_behind{environment="default"}': 2,
    'larder_hosts_silent{environment="default"}': 1,
    'larder_generation{environment="default"}': 2,
    'larder_blobs{store="memory"}': 1,
    'larder_blob_bytes{store="memory"}': 5,
    'larder_operations{kind="install",state="succeeded"}': 1,
    'larder_http_requests_total{route="hosts.report",status="200"}': 1,
    'larder_http_requests_total{route="none",status="404"}': 1,
    'larder_event_streams{role="host"}': 1,
    larder_database_up: 1,
  };
  expect(Object.fromEntries([...samples].filter(([name]) => name in expected))).toEqual(expected);
  expect(samples.get('larder_http_request_duration_seconds_count{route="hosts.enrol"}')).toBe(2);
  expect(samples.get("process_resident_memory_bytes")).toBeGreaterThan(1e7);
  abort.abort();
});

test("no label is made of what callers send", async () => {
  for (let i = 0; i < 20; i++) await server.fetch(`/api/hosts/intruder-${i}`, { token: server.adminToken });
  const names = [...(await scrape()).keys()].join("\n");
  expect(names).not.toContain("intruder");
  expect(names).not.toContain(token);
});

test("a port of its own serves them without a token, and nothing else", async () => {
  await using listener = openMetricsListener(server.context.metrics, { host: "127.0.0.1", port: 0 });
  const at = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${listener.port}${path}`, init);
  expect(await (await at("/metrics")).text()).toContain("larder_build_info");
  expect((await at("/api/hosts")).status).toBe(404);
  expect((await at("/metrics", { method: "POST" })).status).toBe(405);
});

test("docs/replicas.md names every metric of ours, and no other", async () => {
  const text = await (await server.fetch(rawRoutes.metrics, { token })).text();
  const served = new Set([...text.matchAll(/^# TYPE (larder_\w+)/gm)].map(([, name]) => name as string));
  const page = await readFile(new URL("../../../docs/replicas.md", import.meta.url), "utf8");
  const documented = new Set([...page.matchAll(/^\| `(larder_\w+)`/gm)].map(([, name]) => name as string));
  expect([...documented].sort()).toEqual([...served].sort());
});
