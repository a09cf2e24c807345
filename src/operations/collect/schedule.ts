import type { CollectInput } from "../../contract/index.ts";
import { type Db, latestOperation } from "../../db/index.ts";
import { jittered, type Logger, sleep } from "../../lib/index.ts";
import { requestCollection } from "../request-operation.ts";

export interface CollectScheduleOptions {
  db: Db;
  logger: Logger;
  everyMs: number;
  input: CollectInput;
}

const lookAtLeastEveryMs = 5 * 60_000;

/** Asks for a collection when the latest is longer ago than `everyMs`; counted from the start when there was none. Any replica may ask: they join. */
export function startCollectSchedule({ db, logger, everyMs, input }: CollectScheduleOptions): AsyncDisposable {
  const stopping = new AbortController();
  const startedAt = Date.now();
  const look = async () => {
    const latest = await latestOperation(db.query, "collect");
    const since = latest ? Date.parse(latest.createdAt) : startedAt;
    // The database's clock and this one may differ; by so little that a schedule of hours does not mind.
    if (Date.now() - since >= everyMs) await requestCollection(db, { input, requestedBy: "schedule" });
  };
  const loop = async () => {
    while (!stopping.signal.aborted) {
      await sleep(jittered(Math.min(everyMs / 4, lookAtLeastEveryMs)), stopping.signal).catch(() => {});
      if (stopping.signal.aborted) return;
      await look().catch((error: unknown) => logger.warn({ err: error }, "no collection could be scheduled; tried again soon"));
    }
  };
  const running = loop();
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}
