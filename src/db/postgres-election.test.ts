import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import postgres from "postgres";
import { type PostgresServer, startPostgres } from "../../test/harness/postgres.ts";
import { until } from "../../test/harness/until.ts";
import type { Db } from "./database.ts";
import { isCurrentEpoch, tryElect } from "./election.ts";
import { ensureMeta, getMeta } from "./meta.ts";
import { openDatabase } from "./open-database.ts";
import { type ElectionTiming, electOnPostgres } from "./postgres-election.ts";

const quick: ElectionTiming = { heartbeatMs: 50, answerMs: 500, silenceMs: 60_000 };

describe("an election on PostgreSQL", () => {
  let server: PostgresServer;
  let url: string;
  let db: Db;
  beforeAll(async () => {
    server = await startPostgres();
    url = await server.createDatabase();
    db = await openDatabase({ url });
  }, 60_000);
  afterAll(async () => {
    await db[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const connect = ({ onclose, silenceMs }: { onclose(): void; silenceMs: number }) =>
    postgres(url, {
      max: 1,
      max_lifetime: null,
      onclose,
      connection: { application_name: "voter", idle_session_timeout: silenceMs },
    });
  const terminateVoters = async () => {
    const admin = postgres(url, { max: 1 });
    await admin`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'voter'`;
    await admin.end();
  };

  test("I5: who loses the connection is told at once, and the next one's epoch shuts it out", async () => {
    const first = await electOnPostgres(connect, "first", quick);
    if (!first) throw new Error("not elected");
    expect(await tryElect(db)).toBeUndefined();
    await terminateVoters();
    await until("the loser knows", () => first.signal.aborted);
    expect(first.signal.reason).toMatchObject({ code: "E_FENCED" });
    await using second = await until("another is elected", () => tryElect(db));
    expect(second.epoch).toBe(first.epoch + 1);
    expect(await isCurrentEpoch(db.query, first.epoch)).toBe(false);
    await first[Symbol.asyncDispose]();
    expect(second.signal.aborted).toBe(false);
  });

  test("a holder that falls silent, as a stopped process does, loses the lock to another", async () => {
    await using silent = await electOnPostgres(connect, "silent", { heartbeatMs: 60_000, answerMs: 1000, silenceMs: 300 });
    expect(silent).toBeDefined();
    await using next = await until("another is elected", () => tryElect(db));
    expect(next.epoch).toBe(silent!.epoch + 1);
    await until("the silent one knows", () => silent!.signal.aborted);
  });

  test("heartbeats keep the lock", async () => {
    await using holder = await electOnPostgres(connect, "holder", { heartbeatMs: 50, answerMs: 500, silenceMs: 400 });
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(holder?.signal.aborted).toBe(false);
    expect(await tryElect(db)).toBeUndefined();
  });

  test("I5: the next epoch waits for a transaction that has checked the old one", async () => {
    const first = await tryElect(db);
    if (!first) throw new Error("not elected");
    const order: string[] = [];
    const checked = Promise.withResolvers<void>();
    const writing = db.transaction(async (tx) => {
      expect(await isCurrentEpoch(tx, first.epoch)).toBe(true);
      checked.resolve();
      await new Promise((resolve) => setTimeout(resolve, 300));
      await ensureMeta(tx, "late", "write");
      order.push("written");
    });
    await checked.promise;
    await first[Symbol.asyncDispose]();
    await using next = await until("another is elected", () => tryElect(db));
    order.push("elected");
    await writing;
    expect(order).toEqual(["written", "elected"]);
    expect(await isCurrentEpoch(db.query, next.epoch)).toBe(true);
    expect(await getMeta(db.query, "late")).toBe("write");
  });

  test("after a lost connection queries and listeners work again, and closing is prompt", async () => {
    const heard: string[] = [];
    const disposed: string[] = [];
    const replica = await openDatabase({ url });
    await replica.listen((payload) => heard.push(payload));
    const other = await replica.listen((payload) => disposed.push(payload));
    const admin = postgres(url, { max: 1 });
    await admin`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'larder' and datname = current_database()`;
    await admin.end();
    await until("queries answer", async () => (await getMeta(replica.query, "late")) ?? "absent");
    await other[Symbol.asyncDispose]();
    await until("notifications arrive", async () => {
      await db.notify(db.query, "again");
      return heard.includes("again");
    });
    expect(disposed).toEqual([]);
    const start = performance.now();
    await replica[Symbol.asyncDispose]();
    expect(performance.now() - start).toBeLessThan(3000);
  }, 20_000);
});
