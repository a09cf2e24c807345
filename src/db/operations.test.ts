import { expect, test } from "bun:test";
import { onBothDatabases } from "../../test/harness/on-both-databases.ts";
import { environmentOf, operationSchema } from "../contract/index.ts";
import type { Election } from "./database.ts";
import { tryElect } from "./election.ts";
import {
  activeOperation,
  claimNextOperation,
  finishOperation,
  getOperation,
  insertOrJoinOperation,
  interruptOrphanedOperations,
  isCancelRequested,
  listOperations,
  requestOperationCancel,
  retryOfOperation,
  setOperationProgress,
} from "./operations.ts";

const failure = { code: "E_RESOLVE", message: "no such version" };
const result = {
  generation: 1,
  lockfileHash: "x",
  changed: true,
  nodes: 1,
  blobs: 1,
  bytes: 3e9,
  fetched: 0,
  fetchedBytes: 0,
  timingsMs: {},
};

onBothDatabases("operations", ({ db, environment }) => {
  const elected = async (): Promise<Election> => {
    const election = await tryElect(db());
    if (!election) throw new Error("not elected");
    return election;
  };
  const request = async () => ({ kind: "install" as const, environment: await environment(), requestedBy: "ann" });

  test("a hundred callers get one operation", async () => {
    const install = await request();
    const answers = await Promise.all(Array.from({ length: 100 }, () => insertOrJoinOperation(db().query, install)));
    expect(new Set(answers.map(({ operation }) => operation.id)).size).toBe(1);
    expect(answers.filter(({ joined }) => !joined)).toHaveLength(1);
    const other = await insertOrJoinOperation(db().query, {
      kind: "collect",
      requestedBy: "ann",
      input: { graceMs: 0, keep: 1 },
    });
    expect(other.joined).toBe(false);
    expect((await activeOperation(db().query, install))?.id).toBe(answers[0]!.operation.id);
    for (const id of [answers[0]!.operation.id, other.operation.id]) await requestOperationCancel(db().query, id);
  });

  test("operations run in the order asked for, and end once", async () => {
    await using election = await elected();
    const [first, second] = [await request(), await request()];
    const { operation } = await insertOrJoinOperation(db().query, first);
    await insertOrJoinOperation(db().query, second);
    const claimed = await claimNextOperation(db().query, election.epoch);
    expect(claimed).toMatchObject({ id: operation.id, state: "running" });
    expect(claimed?.startedAt).toMatch(/Z$/);
    const mine = { id: operation.id, epoch: election.epoch };
    const progress = { phase: "fetch", done: 1, total: 2, subject: "a@1.0.0" };
    const seen = await setOperationProgress(db().query, { ...mine, progress });
    expect(seen).toMatchObject({ cancelRequested: false, operation: { progress } });
    const ended = await finishOperation(db().query, { ...mine, outcome: { state: "succeeded", result } });
    expect(ended).toMatchObject({ state: "succeeded", result });
    expect(ended?.endedAt).toMatch(/Z$/);
    expect(operationSchema.parse(ended)).toEqual(ended as never);
    expect(await finishOperation(db().query, { ...mine, outcome: { state: "failed", error: failure } })).toBeUndefined();
    expect(await setOperationProgress(db().query, { ...mine, progress })).toBeUndefined();
    expect((await insertOrJoinOperation(db().query, first)).joined).toBe(false);
    const [later, earlier] = [
      await claimNextOperation(db().query, election.epoch),
      await claimNextOperation(db().query, election.epoch),
    ];
    expect([later, earlier].map((one) => one && environmentOf(one))).toEqual([second.environment, first.environment]);
    expect(await claimNextOperation(db().query, election.epoch)).toBeUndefined();
    for (const one of [later, earlier]) {
      await finishOperation(db().query, { id: one!.id, epoch: election.epoch, outcome: { state: "failed", error: failure } });
    }
    const listed = await listOperations(db().query, { limit: 2 });
    expect(listed.map(({ id }) => id)).toEqual([earlier!.id, later!.id]);
    expect((await listOperations(db().query, { environment: second.environment })).map(({ id }) => id)).toEqual([later!.id]);
  });

  test("parallel claims never give one operation twice", async () => {
    await using election = await elected();
    for (let count = 0; count < 6; count++) await insertOrJoinOperation(db().query, await request());
    const claims = await Promise.all(Array.from({ length: 12 }, () => claimNextOperation(db().query, election.epoch)));
    const ids = claims.flatMap((claim) => (claim ? [claim.id] : []));
    expect(new Set(ids).size).toBe(ids.length);
    for (;;) {
      const rest = await claimNextOperation(db().query, election.epoch);
      if (!rest) break;
      ids.push(rest.id);
    }
    expect(ids).toHaveLength(6);
    for (const id of ids)
      await finishOperation(db().query, { id, epoch: election.epoch, outcome: { state: "failed", error: failure } });
  });

  test("a queued operation is cancelled at once, a running one is asked", async () => {
    await using election = await elected();
    const install = await request();
    const { operation: queued } = await insertOrJoinOperation(db().query, install);
    expect((await requestOperationCancel(db().query, queued.id))?.operation).toMatchObject({
      state: "cancelled",
      endedAt: expect.any(String),
    });
    const { operation } = await insertOrJoinOperation(db().query, install);
    await claimNextOperation(db().query, election.epoch);
    expect(await isCancelRequested(db().query, operation.id)).toBe(false);
    const asked = (await requestOperationCancel(db().query, operation.id))?.operation;
    expect(asked).toMatchObject({ state: "running" });
    expect(asked?.endedAt).toBeUndefined();
    expect(await isCancelRequested(db().query, operation.id)).toBe(true);
    const mine = { id: operation.id, epoch: election.epoch };
    expect(await setOperationProgress(db().query, { ...mine, progress: { phase: "plan", done: 0 } })).toMatchObject({
      cancelRequested: true,
    });
    await finishOperation(db().query, {
      ...mine,
      outcome: { state: "cancelled", error: { code: "E_CANCELLED", message: "Cancelled." } },
    });
    expect((await requestOperationCancel(db().query, operation.id))?.operation).toMatchObject({ state: "cancelled" });
    expect(await requestOperationCancel(db().query, "absent")).toBeUndefined();
  });

  test("I5: an earlier epoch can neither claim, nor report, nor end", async () => {
    const earlier = await elected();
    const { operation } = await insertOrJoinOperation(db().query, await request());
    await claimNextOperation(db().query, earlier.epoch);
    await earlier[Symbol.asyncDispose]();
    await using later = await elected();
    const before = await getOperation(db().query, operation.id);
    const zombie = { id: operation.id, epoch: earlier.epoch };
    expect(await setOperationProgress(db().query, { ...zombie, progress: { phase: "fetch", done: 9 } })).toBeUndefined();
    expect(await finishOperation(db().query, { ...zombie, outcome: { state: "succeeded", result } })).toBeUndefined();
    expect(await db().transaction((tx) => interruptOrphanedOperations(tx, earlier.epoch))).toEqual({
      interrupted: [],
      queued: [],
    });
    await insertOrJoinOperation(db().query, await request());
    expect(await claimNextOperation(db().query, earlier.epoch)).toBeUndefined();
    expect(await getOperation(db().query, operation.id)).toEqual(before!);
    const { queued } = await db().transaction((tx) => interruptOrphanedOperations(tx, later.epoch));
    for (const { id } of queued) await requestOperationCancel(db().query, id);
    const rest = await claimNextOperation(db().query, later.epoch);
    await finishOperation(db().query, { id: rest!.id, epoch: later.epoch, outcome: { state: "failed", error: failure } });
  });

  test("an interrupted operation is tried again, three times at most", async () => {
    const install = await request();
    let { id } = (await insertOrJoinOperation(db().query, install)).operation;
    for (const attempt of [1, 2, 3]) {
      const dying = await elected();
      expect(await claimNextOperation(db().query, dying.epoch)).toMatchObject({ id, attempt });
      await dying[Symbol.asyncDispose]();
      await using next = await elected();
      const { interrupted, queued } = await db().transaction((tx) => interruptOrphanedOperations(tx, next.epoch));
      expect(interrupted).toMatchObject([{ id, state: "interrupted", error: { code: "E_INTERRUPTED" } }]);
      expect(queued).toHaveLength(attempt < 3 ? 1 : 0);
      const retry = await retryOfOperation(db().query, id);
      expect(retry?.attempt).toBe(attempt < 3 ? attempt + 1 : (undefined as never));
      id = retry?.id ?? id;
    }
    expect(await activeOperation(db().query, install)).toBeUndefined();
  });

  test("an operation that was to be cancelled is not tried again", async () => {
    const dying = await elected();
    const { operation } = await insertOrJoinOperation(db().query, await request());
    await claimNextOperation(db().query, dying.epoch);
    await requestOperationCancel(db().query, operation.id);
    await dying[Symbol.asyncDispose]();
    await using next = await elected();
    const { interrupted, queued } = await db().transaction((tx) => interruptOrphanedOperations(tx, next.epoch));
    expect(interrupted).toMatchObject([{ id: operation.id, state: "cancelled" }]);
    expect(queued).toEqual([]);
  });
});
