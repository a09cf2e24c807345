import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import postgres from "postgres";
import { type PostgresServer, startPostgres } from "../../test/harness/postgres.ts";
import { openTcpGate, type TcpGate } from "../../test/harness/tcp-gate.ts";
import { until } from "../../test/harness/until.ts";
import { notifyChannel } from "./database.ts";
import { createPostgresListener, type PostgresListener } from "./postgres-listener.ts";

describe("listening to PostgreSQL", () => {
  const stack = new AsyncDisposableStack();
  let server: PostgresServer;
  let gate: TcpGate;
  let admin: postgres.Sql;
  let listener: PostgresListener;
  let heard: string[];
  let resumed: number;
  beforeAll(async () => {
    server = stack.use(await startPostgres());
    const url = new URL(await server.createDatabase());
    admin = postgres(url.href, { max: 1 });
    stack.defer(() => admin.end());
    gate = stack.use(await openTcpGate({ host: "127.0.0.1", port: Number(url.port) }));
    url.port = String(gate.port);
    listener = stack.use(
      createPostgresListener(
        (handlers) => postgres(url.href, { max: 1, idle_timeout: 0, fetch_types: false, connect_timeout: 2, ...handlers }),
        { heartbeatMs: 50, answerMs: 300 },
      ),
    );
    await listener.add({ onNotice: (payload) => void heard.push(payload), onResumed: () => void resumed++ });
  }, 60_000);
  afterAll(() => stack.disposeAsync());
  beforeEach(() => {
    heard = [];
    resumed = 0;
  });
  const say = (text: string) => admin`select pg_notify(${notifyChannel}, ${text})`;
  const arrives = (text: string) => until(`"${text}" is heard`, () => heard.includes(text));

  test("a notice arrives, to every handler until it is disposed", async () => {
    const other: string[] = [];
    const second = await listener.add({ onNotice: (payload) => void other.push(payload) });
    await say("one");
    await arrives("one");
    expect(other).toEqual(["one"]);
    await second[Symbol.asyncDispose]();
    await say("two");
    await arrives("two");
    expect(other).toEqual(["one"]);
    expect(resumed).toBe(0);
  });

  test("a session that the server ended is replaced, and handlers are told of the gap", async () => {
    await admin`select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' or query = 'select 1'`;
    await until("it listens again", () => resumed === 1);
    await say("after");
    await arrives("after");
  });

  test("an outage of many attempts ends by itself", async () => {
    gate.set("shut");
    await say("nobody hears this");
    await Bun.sleep(1500);
    expect(resumed).toBe(0);
    gate.set("open");
    await until("it listens again", () => resumed === 1);
    await say("after the outage");
    await arrives("after the outage");
    expect(heard).toEqual(["after the outage"]);
  });

  test("a network that says nothing any more is noticed", async () => {
    gate.set("silent");
    await Bun.sleep(600);
    gate.set("open");
    await until("it listens again", () => resumed === 1);
    await say("after the silence");
    await arrives("after the silence");
  });
});

test("who cannot listen at first is told so", async () => {
  await using listener = createPostgresListener((handlers) =>
    postgres("postgres://nobody@127.0.0.1:9/nothing", { max: 1, connect_timeout: 1, ...handlers }),
  );
  await expect(listener.add({ onNotice: () => {} })).rejects.toMatchObject({ code: "E_STORE_UNAVAILABLE" });
});
