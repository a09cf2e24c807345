import { afterEach, expect, test } from "bun:test";
import { defaultEnvironment, type InstallResult, LarderError, type Operation } from "../contract/index.ts";
import { type Db, getOperation, listOperations, openDatabase, requestOperationCancel, retryOfOperation } from "../db/index.ts";
import { silentLogger, sleep } from "../lib/index.ts";
import { notice } from "./notices.ts";
import type { OperationHandler } from "./operation-handler.ts";
import { requestInstall } from "./request-of-environment.ts";
import { startOperations } from "./start-operations.ts";

const result = { generation: 1, changed: true, nodes: 0 } as unknown as InstallResult;
const opened: Db[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db[Symbol.asyncDispose]();
});

async function open(): Promise<Db> {
  const db = await openDatabase({ memory: true });
  opened.push(db);
  return db;
}

const start = (db: Db, install: OperationHandler) =>
  startOperations({ db, logger: silentLogger, handlers: { install }, pollMs: 20 });
const request = async (db: Db) => (await requestInstall(db, { environment: defaultEnvironment, requestedBy: "test" })).operation;

async function ended(db: Db, id: string): Promise<Operation> {
  for (let tries = 0; tries < 500; tries++) {
    const operation = await getOperation(db.query, id);
    if (operation && !["queued", "running"].includes(operation.state)) return operation;
    await sleep(5);
  }
  throw new Error(`${id} did not end`);
}

test("a queued operation runs to its result, with the progress that it reported", async () => {
  const db = await open();
  await using _running = await start(db, async ({ report }) => {
    report({ phase: "fetch", done: 3, total: 3 });
    return result;
  });
  const operation = await ended(db, (await request(db)).id);
  expect(operation).toMatchObject({ state: "succeeded", result, progress: { phase: "fetch", done: 3 }, attempt: 1 });
});

test("a hundred requests at once are one operation, and every caller gets its id", async () => {
  const db = await open();
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => requestInstall(db, { environment: defaultEnvironment, requestedBy: "test" })),
  );
  expect(new Set(answers.map(({ operation }) => operation.id)).size).toBe(1);
  expect(answers.filter(({ joined }) => !joined).length).toBe(1);
});

test("a failure is recorded with its code, and the next operation runs", async () => {
  const db = await open();
  let calls = 0;
  await using _running = await start(db, async () => {
    if (++calls === 1) throw new LarderError("E_RESOLVE", "nope", { hint: "try" });
    return result;
  });
  expect(await ended(db, (await request(db)).id)).toMatchObject({
    state: "failed",
    error: { code: "E_RESOLVE", message: "nope", hint: "try" },
  });
  expect(await ended(db, (await request(db)).id)).toMatchObject({ state: "succeeded" });
});

test("cancelling a running operation aborts it", async () => {
  const db = await open();
  await using _running = await start(db, async ({ signal }) => {
    await sleep(60_000, signal);
    return result;
  });
  const { id } = await request(db);
  while ((await getOperation(db.query, id))?.state !== "running") await sleep(5);
  await requestOperationCancel(db.query, id);
  await db.notify(db.query, notice({ type: "operation", id }));
  expect(await ended(db, id)).toMatchObject({ state: "cancelled", error: { code: "E_CANCELLED" } });
});

test("a cancellation whose notice was lost is seen all the same", async () => {
  const db = await open();
  await using _running = await start(db, async ({ signal }) => {
    await sleep(60_000, signal);
    return result;
  });
  const { id } = await request(db);
  while ((await getOperation(db.query, id))?.state !== "running") await sleep(5);
  await requestOperationCancel(db.query, id);
  expect(await ended(db, id)).toMatchObject({ state: "cancelled" });
});

test("what a stopped control plane left running is interrupted and tried again by the next one (I11)", async () => {
  const db = await open();
  const first = await start(db, async ({ signal }) => {
    await sleep(60_000, signal);
    return result;
  });
  const { id } = await request(db);
  while ((await getOperation(db.query, id))?.state !== "running") await sleep(5);
  await first[Symbol.asyncDispose]();
  expect((await getOperation(db.query, id))?.state).toBe("running");

  await using _second = await start(db, async () => result);
  expect(await ended(db, id)).toMatchObject({ state: "interrupted", error: { code: "E_INTERRUPTED" } });
  const retry = await retryOfOperation(db.query, id);
  expect(await ended(db, retry?.id ?? "")).toMatchObject({ state: "succeeded", attempt: 2 });
  expect((await listOperations(db.query)).length).toBe(2);
});
