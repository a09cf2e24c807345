import { afterAll, beforeAll, expect, test } from "bun:test";
import postgres from "postgres";
import { type PostgresServer, startPostgres } from "../../test/harness/postgres.ts";
import { openTransactionPooler } from "../../test/harness/transaction-pooler.ts";
import { hasCode } from "../contract/index.ts";
import { assertSessions } from "./assert-sessions.ts";
import { openDatabase } from "./open-database.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

async function refusalAt(url: string): Promise<unknown> {
  try {
    await using _db = await openDatabase({ url });
  } catch (error) {
    return error;
  }
  return undefined;
}

test.each([2, 4])("a pooler of transactions with %p sessions is refused at the start, with the reason", async (sessions) => {
  await using pooler = await openTransactionPooler(await server.createDatabase(), { sessions });
  const refusal = await refusalAt(pooler.url);
  expect(refusal).toMatchObject({ message: expect.stringMatching(/leads to a pooler of transactions/) });
  expect(hasCode(refusal, "E_CONFIG") && refusal.hint).toMatch(/PostgreSQL's own address/);
});

test("a pooler with a single session is refused too", async () => {
  await using pooler = await openTransactionPooler(await server.createDatabase(), { sessions: 1 });
  await expect(assertSessions(() => postgres(pooler.url, { max: 1, fetch_types: false }), 500)).rejects.toMatchObject({
    code: "E_CONFIG",
    message: expect.stringMatching(/pooler with a single session/),
  });
});

test("a server of its own is not mistaken for one, also while others use it", async () => {
  const url = await server.createDatabase();
  const refusals = await Promise.all(Array.from({ length: 6 }, () => refusalAt(url)));
  expect(refusals).toEqual(Array.from({ length: 6 }, () => undefined));
});
