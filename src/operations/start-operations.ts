import { environmentOf, LarderError, type Operation, type OperationKind, type Progress } from "../contract/index.ts";
import {
  claimNextOperation,
  type Db,
  type Election,
  finishOperation,
  interruptOrphanedOperations,
  isCancelRequested,
  isDatabaseAway,
  listActiveOperations,
  requeueOperation,
  setOperationProgress,
  tryElect,
} from "../db/index.ts";
import { type Logger, sleep } from "../lib/index.ts";
import { notice, parseNotice } from "./notices.ts";
import type { OperationHandler, OperationHandlers } from "./operation-handler.ts";
import { createThrottle } from "./throttle.ts";

export interface OperationsOptions {
  db: Db;
  logger: Logger;
  handlers: OperationHandlers;
  /** Notices are hints; this is how late a lost one makes us, to start and to cancel. */
  pollMs?: number;
}

const progressEveryMs = 200;
/** For a pool to see which of its connections are gone. */
const requeueAfterMs = 250;

/**
 * Runs what is queued, one operation at a time across all replicas, until disposed. A replica stands for election only when something waits or a dead
 * replica left something; winning proves that the former holder is gone, so what it left is interrupted and tried again. Disposal aborts the
 * operation under way, which the next start, here or elsewhere, takes up again.
 */
export async function startOperations(options: OperationsOptions): Promise<AsyncDisposable> {
  const { db, logger, pollMs = 2000 } = options;
  const stopping = new AbortController();
  let wake = new AbortController();
  let current: { id: string; cancel: AbortController } | undefined;
  const lookForCancel = () => {
    if (current) void cancelIfAsked(db, current).catch(() => {});
  };
  const onNotice = (payload: string) => {
    const heard = parseNotice(payload);
    if (heard?.type !== "operation") return;
    wake.abort();
    if (heard.id === current?.id) lookForCancel();
  };
  const onResumed = () => {
    wake.abort();
    lookForCancel();
  };
  const listener = await db.listen(onNotice, onResumed);
  const looking = setInterval(lookForCancel, pollMs);
  const work = async (): Promise<void> => {
    if ((await listActiveOperations(db.query)).length === 0) return;
    await using election = await tryElect(db);
    if (election === undefined) return;
    const { interrupted, queued } = await db.transaction((tx) => interruptOrphanedOperations(tx, election.epoch));
    for (const { id } of [...interrupted, ...queued]) await db.notify(db.query, notice({ type: "operation", id }));
    for (;;) {
      if (stopping.signal.aborted || election.signal.aborted) return;
      const operation = await claimNextOperation(db.query, election.epoch);
      if (operation === undefined) return;
      current = { id: operation.id, cancel: new AbortController() };
      const signal = AbortSignal.any([stopping.signal, election.signal, current.cancel.signal]);
      try {
        await runOperation(options, { operation, election, signal });
      } finally {
        current = undefined;
      }
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      wake = new AbortController();
      try {
        await work();
      } catch (error) {
        if (!stopping.signal.aborted) logger.error({ err: error }, "operations: a round failed");
      }
      await sleep(pollMs, AbortSignal.any([wake.signal, stopping.signal])).catch(() => {});
    }
  };
  const running = loop();
  return {
    async [Symbol.asyncDispose]() {
      const left = current?.id;
      stopping.abort(new LarderError("E_INTERRUPTED", "The control plane is stopping.", { retryable: true }));
      await running;
      // The election is free: another replica need not wait for its poll.
      if (left) await db.notify(db.query, notice({ type: "operation", id: left })).catch(() => {});
      clearInterval(looking);
      await listener[Symbol.asyncDispose]();
    },
  };
}

async function cancelIfAsked(db: Db, { id, cancel }: { id: string; cancel: AbortController }): Promise<void> {
  if (await isCancelRequested(db.query, id)) cancel.abort(new LarderError("E_CANCELLED", "The operation was cancelled."));
}

interface Running {
  operation: Operation;
  election: Election;
  signal: AbortSignal;
}

async function runOperation(options: OperationsOptions, { operation, election, signal }: Running): Promise<void> {
  const { db } = options;
  const { id, kind } = operation;
  const { epoch } = election;
  const logger = options.logger.child({ operation: id, kind, environment: environmentOf(operation) });
  const tell = () => db.notify(db.query, notice({ type: "operation", id }));
  const progress = createThrottle<Progress>(progressEveryMs, async (latest) => {
    if (await setOperationProgress(db.query, { id, epoch, progress: latest })) await tell();
  });
  await tell();
  logger.info("operation started");
  try {
    // Each kind has its own handler, which takes its own operations.
    const handler = options.handlers[kind] as OperationHandler<OperationKind> | undefined;
    if (handler === undefined) throw new LarderError("E_INPUT", `This control plane does not know how to ${kind}.`);
    const result = await handler({ operation, epoch, signal, report: progress.push });
    await progress.settle();
    await finishOperation(db.query, { id, epoch, outcome: { state: "succeeded", result } });
    logger.info({ result }, "operation succeeded");
  } catch (thrown) {
    await progress.settle();
    const error = LarderError.from(signal.aborted ? signal.reason : thrown);
    logger[error.code === "E_INTERNAL" ? "error" : "warn"]({ err: error, thrown }, "operation ended early");
    // A stop or a lost election leaves the row as a crash would: whoever is elected next interrupts it and tries again.
    if (error.code === "E_INTERRUPTED" || error.code === "E_FENCED") return;
    // So does a lost database when it stays away; else the operation waits its turn again, for a limit on attempts is there against crashes.
    if (isDatabaseAway(error)) {
      await sleep(requeueAfterMs, signal);
      await requeueOperation(db.query, { id, epoch });
      return await tell();
    }
    const state = error.code === "E_CANCELLED" ? "cancelled" : "failed";
    await finishOperation(db.query, { id, epoch, outcome: { state, error: error.toBody() } });
  }
  await tell();
}
