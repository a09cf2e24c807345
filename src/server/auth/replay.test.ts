import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { startPostgres } from "../../../test/harness/postgres.ts";
import { until } from "../../../test/harness/until.ts";
import { createRequestProof, digestOfBody, type HostReport, type Id, rawRoutes } from "../../contract/index.ts";
import { countWaitingRuns } from "../../db/index.ts";
import { openTestServer, type TestHost, type TestServer } from "../testing/test-server.ts";
import { createTokenText } from "./token-text.ts";

setDefaultTimeout(60_000);

const report: HostReport = {
  phase: "ready",
  generation: 0,
  platform: { os: "linux", cpu: "x64", libc: "glibc" },
  agentVersion: "0.1.0",
  runsInFlight: 0,
  session: { id: "a".repeat(32), sequence: 1 },
};
const reporting = { method: "PUT", path: "/api/hosts/self/report", body: JSON.stringify(report) };
const claiming = { method: "POST", path: "/api/hosts/self/runs/claim", body: JSON.stringify({ max: 5 }) };

interface Captured {
  method: string;
  path: string;
  body: string;
  authorization: string;
}
const capture = async (host: TestHost, asked: Omit<Captured, "authorization">, atMs: number): Promise<Captured> => ({
  ...asked,
  authorization: await createRequestProof(host, { ...asked, atMs }),
});
async function send(server: TestServer, { method, path, body, authorization }: Captured) {
  const headers = { authorization, "content-type": "application/json" };
  const answer = await fetch(`${server.url}${path}`, { method, headers, ...(method === "GET" ? {} : { body }) });
  return { status: answer.status, body: (await answer.json()) as { code?: string; message?: string } };
}

describe("a request that somebody has captured", () => {
  let now = Date.now();
  let server: TestServer;
  let host: TestHost;
  let neighbour: TestHost;
  beforeAll(async () => {
    server = await openTestServer({ clock: { now: () => now } });
    [host, neighbour] = [await server.join("captured"), await server.join("neighbour")];
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(() => {
    now = Date.now();
  });

  test("is refused when it is sent again, as long as its proof is good and when that is over", async () => {
    const captured = await capture(host, reporting, now);
    expect(await send(server, captured)).toMatchObject({ status: 200 });
    const sentAt = now;
    for (const laterMs of [0, 1000, 299_000]) {
      now = sentAt + laterMs;
      expect(await send(server, captured)).toMatchObject({
        status: 401,
        body: { code: "E_UNAUTHENTICATED", message: "This request was made before." },
      });
    }
    for (const laterMs of [300_000, 400_000, 86_400_000]) {
      now = sentAt + laterMs;
      expect(await send(server, captured)).toMatchObject({ status: 401, body: { code: "E_CLOCK_SKEW" } });
    }
  });

  test("and was never sent is good until it is five minutes old, and not from ahead of its time", async () => {
    const at = (ms: number) => capture(host, reporting, now + ms);
    for (const ms of [-299_000, 0, 60_000]) expect([ms, (await send(server, await at(ms))).status]).toEqual([ms, 200]);
    for (const ms of [-300_000, 60_001]) {
      expect([ms, await send(server, await at(ms))]).toMatchObject([ms, { status: 401, body: { code: "E_CLOCK_SKEW" } }]);
    }
  });

  const other = `${JSON.stringify({ ...report, generation: 9 })}`;
  const changes: [what: string, change: (captured: Captured) => Captured | Promise<Captured>][] = [
    ["with another body", (captured) => ({ ...captured, body: other })],
    ["with one byte more", (captured) => ({ ...captured, body: `${captured.body} ` })],
    ["with no body", (captured) => ({ ...captured, body: "" })],
    [
      "with another body and its digest",
      async (captured) => {
        const digest = await digestOfBody(new TextEncoder().encode(other));
        return { ...captured, body: other, authorization: captured.authorization.replace(/\.[0-9a-f]{64}\./, `.${digest}.`) };
      },
    ],
    ["to another path", (captured) => ({ ...captured, path: claiming.path })],
    ["to the same path with a query", (captured) => ({ ...captured, path: `${captured.path}?x=1` })],
    ["by another method", (captured) => ({ ...captured, method: "GET", path: rawRoutes.self })],
    [
      "in another host's name",
      (captured) => ({ ...captured, authorization: captured.authorization.replace("captured", "neighbour") }),
    ],
    [
      "with another time",
      (captured) => ({ ...captured, authorization: captured.authorization.replace(/\.\d{13}\./, `.${now + 1}.`) }),
    ],
    [
      "with another nonce",
      (captured) => ({ ...captured, authorization: captured.authorization.replace(/\.[0-9a-f]{32}\./, `.${"0".repeat(32)}.`) }),
    ],
    [
      "as a proof for reading",
      (captured) => ({ ...captured, authorization: captured.authorization.replace(/\.[0-9a-f]{32}\.[0-9a-f]{64}\./, ".") }),
    ],
  ];
  test.each(changes)("is refused %s, and changes nothing", async (_, change) => {
    const captured = await capture(host, reporting, now);
    const before = await server.admin.hosts.get({ id: "neighbour" });
    expect(await send(server, await change(captured))).toMatchObject({ status: 401, body: { code: "E_UNAUTHENTICATED" } });
    expect(await server.admin.hosts.get({ id: "captured" })).toMatchObject({ generation: 0 });
    expect(await server.admin.hosts.get({ id: "neighbour" })).toMatchObject({ phase: before.phase, sessions: before.sessions });
  });

  test("is refused at another control plane, which does not know the host", async () => {
    await using elsewhere = await openTestServer();
    expect(await send(elsewhere, await capture(neighbour, reporting, Date.now()))).toMatchObject({
      status: 401,
      body: { code: "E_UNAUTHENTICATED" },
    });
  });
});

test("a request that another replica has answered, or this one before it was started again, is not answered with a host's scripts, and takes back no report", async () => {
  await using postgres = await startPostgres();
  const database = { url: await postgres.createDatabase() };
  const config = { database, secretKey: randomBytes(32).toString("hex"), adminToken: createTokenText("admin") };
  await using one = await openTestServer(config);
  await using two = await openTestServer(config);
  const host = await one.join("worker");
  const reported = await capture(host, reporting, Date.now());
  expect((await send(one, reported)).status).toBe(200);
  const later = {
    ...reporting,
    body: JSON.stringify({ ...report, phase: "syncing", session: { ...report.session, sequence: 2 } }),
  };
  expect((await send(one, await capture(host, later, Date.now()))).status).toBe(200);
  expect(await send(two, reported)).toMatchObject({ status: 200, body: { kept: false } });
  expect(await one.admin.hosts.get({ id: "worker" })).toMatchObject({ phase: "syncing" });

  const claimed = await capture(host, claiming, Date.now());
  expect(await send(one, claimed)).toMatchObject({ status: 200, body: [] });
  const controller = new AbortController();
  const asked = one.admin.hosts
    .run({ id: "worker", script: "export default 'secret'" }, { signal: controller.signal })
    .catch(() => {});
  await until("a script waits", async () => (await countWaitingRuns(one.context.db.query, "worker" as Id)) === 1);
  expect(await send(two, claimed)).toMatchObject({ status: 401, body: { code: "E_UNAUTHENTICATED" } });
  expect((await send(two, await capture(host, claiming, Date.now()))).body).toMatchObject([
    { request: { script: "export default 'secret'" } },
  ]);
  controller.abort();
  await asked;
});
