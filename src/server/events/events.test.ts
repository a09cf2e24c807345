import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { until } from "../../../test/harness/until.ts";
import {
  createReadProof,
  defaultEnvironment,
  type EnvironmentName,
  type Event,
  eventSchema,
  rawRoutes,
} from "../../contract/index.ts";
import { revokeToken } from "../../db/index.ts";
import { silentLogger } from "../../lib/index.ts";
import { commitTestGeneration } from "../testing/test-generation.ts";
import { type Caller, openTestServer, type TestServer } from "../testing/test-server.ts";
import { openEventHub } from "./event-hub.ts";
import { hostsNotices, type Notice, parseNotice } from "./notice.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

interface Listening extends AsyncDisposable {
  events: Event[];
  status: number;
  ended: Promise<void>;
}

async function listen(token: Caller): Promise<Listening> {
  const abort = new AbortController();
  const response = await server.fetch(rawRoutes.events, { token, signal: abort.signal });
  const events: Event[] = [];
  const read = async () => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      const parts = text.split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) if (part.startsWith("data: ")) events.push(eventSchema.parse(JSON.parse(part.slice(6))));
    }
  };
  const ended = read().catch(() => {});
  return {
    events,
    status: response.status,
    ended,
    async [Symbol.asyncDispose]() {
      abort.abort();
      await ended;
    },
  };
}

const ofType = (events: Event[], type: Event["type"]) => events.filter((event) => event.type === type);

test("an admin sees what changes, as the rows are now", async () => {
  await using admin = await listen(server.adminToken);
  await server.join("watched");
  await until("the host's event", () => ofType(admin.events, "host").length > 0);
  expect(ofType(admin.events, "host")[0]).toMatchObject({ host: { id: "watched", state: "current" } });
  const { operation } = await server.admin.installs.start({ environment: defaultEnvironment });
  await until("the operation's event", () => ofType(admin.events, "operation").length > 0);
  expect(ofType(admin.events, "operation")[0]).toMatchObject({ operation: { id: operation.id, kind: "install" } });
});

test("a host sees its own environment's generations and its own wake-ups, and nothing else", async () => {
  const other = (await server.admin.environments.create({ name: "other" })).name;
  const token = await server.join("listening");
  await server.join("neighbour");
  await using host = await listen(token);
  await using admin = await listen(server.adminToken);
  await server.admin.hosts.reconcile({ id: "neighbour" });
  await commitTestGeneration(server.context, { content: Buffer.from("o"), environment: other });
  const { generation } = await commitTestGeneration(server.context, { content: Buffer.from("d") });
  await server.admin.hosts.reconcile({ id: "listening" });
  await until("the last event", () => ofType(host.events, "reconcile").length > 0);
  const desired = await server.fetch(rawRoutes.desired, { token });
  const offer = { signed: (await desired.json()) as never, etag: desired.headers.get("etag") ?? "" };
  const news = host.events.filter((event) => event.type !== "desired" || event.generation >= generation.number);
  expect(news).toEqual([
    { type: "desired", environment: defaultEnvironment, generation: generation.number, offer },
    { type: "reconcile", hostId: "listening" },
  ]);
  await until("the admin has them all", () => ofType(admin.events, "reconcile").length === 2);
  expect(ofType(admin.events, "desired")).toHaveLength(2);
});

test("a host's stream begins with what is wanted, and what comes later asks a fleet to spread", async () => {
  await using own = await openTestServer();
  const { generation } = await commitTestGeneration(own.context, { content: Buffer.from("1") });
  await using hub = openEventHub({ ...own.context, logger: silentLogger, reportsPerSecond: 2.5 });
  const streams: ReadableStreamDefaultReader<Uint8Array>[] = [];
  for (const name of ["a", "b", "c"]) {
    const key = await own.join(name);
    const authorization = await createReadProof(key, Date.now());
    const { principal } = await own.context.hostAuthenticator.authenticate(authorization, { method: "GET", path: "/" });
    streams.push((hub.connect(principal).body as ReadableStream<Uint8Array>).getReader() as never);
  }
  const nextEvent = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Event> => {
    for (;;) {
      const text = new TextDecoder().decode((await reader.read()).value);
      if (text.startsWith("data: ")) return eventSchema.parse(JSON.parse(text.slice(6)));
    }
  };
  for (const stream of streams) {
    const greeting = await nextEvent(stream);
    expect(greeting).toMatchObject({ type: "desired", generation: generation.number });
    expect(greeting).toMatchObject({ offer: { signed: { desired: { generation: generation.number } } } });
    expect(greeting).not.toHaveProperty("spreadMs");
  }
  hub.notice({ type: "desired", environment: defaultEnvironment, generation: generation.number });
  for (const stream of streams) expect(await nextEvent(stream)).toMatchObject({ type: "desired", spreadMs: 500 });
});

test("some hosts that changed are told one by one, a fleet as a whole", async () => {
  await using admin = await listen(server.adminToken);
  const ids = ["told-1", "told-2"];
  for (const id of ids) await server.join(id);
  await until("both are told", () =>
    ids.every((id) => ofType(admin.events, "host").some((event) => JSON.stringify(event).includes(id))),
  );
  expect(ofType(admin.events, "hosts")).toEqual([]);
  const many = Array.from({ length: 500 }, (_, i) => `many-${i}`);
  for (const notice of hostsNotices(many)) server.context.events.notice(parseNotice(notice) as Notice);
  await until("the fleet is told", () => ofType(admin.events, "hosts").length > 0);
  expect(ofType(admin.events, "hosts")).toEqual([{ type: "hosts" }]);
  await server.join("told-later");
  await until("a later one is told", () => JSON.stringify(admin.events).includes("told-later"));
});

test("a revocation ends the streams of that host, and of no other", async () => {
  const token = await server.join("cut");
  await using host = await listen(token);
  await using admin = await listen(server.adminToken);
  await server.admin.hosts.revoke({ id: "cut" });
  await host.ended;
  await server.join("after");
  await until("the admin still listens", () =>
    ofType(admin.events, "host").some((event) => "host" in event && event.host.id === "after"),
  );
});

test("a client that never reads is cut off instead of being remembered without bound", async () => {
  const { port } = new URL(server.url);
  const socket = connect(Number(port), "127.0.0.1");
  let closed = false;
  socket.on("close", () => {
    closed = true;
  });
  socket.on("error", () => {});
  socket.write(`GET ${rawRoutes.events} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.adminToken}\r\n\r\n`);
  await Bun.sleep(100);
  socket.pause();
  const environment = "e".repeat(64) as EnvironmentName;
  const before = process.memoryUsage().rss;
  for (let generation = 1; generation <= 150_000; generation++) {
    server.context.events.notice({ type: "desired", environment, generation });
    if (generation % 100 === 0) await Bun.sleep(0);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
  socket.resume();
  await until("the slow client is cut", () => closed);
});

test("a silent stream is kept alive, and ends when its token was revoked without a notice", async () => {
  const { token, text } = await server.admin.tokens.create({ role: "author", subject: "silent" });
  const principal = await server.context.authenticator.authenticate(`Bearer ${text}`);
  await using hub = openEventHub({ ...server.context, logger: silentLogger, heartbeatMs: 20 });
  const reader = (hub.connect(principal).body as ReadableStream<Uint8Array>).getReader();
  for (let beat = 0; beat < 3; beat++) expect(new TextDecoder().decode((await reader.read()).value)).toBe(": alive\n\n");
  await revokeToken(server.context.db.query, token.id);
  await until("it ends", async () => (await reader.read()).done);
});

test("the end of the server ends the streams", async () => {
  const own = await openTestServer();
  const response = await own.fetch(rawRoutes.events, { token: own.adminToken });
  const startedAt = performance.now();
  await own[Symbol.asyncDispose]();
  await response.text();
  expect(performance.now() - startedAt).toBeLessThan(2000);
});
