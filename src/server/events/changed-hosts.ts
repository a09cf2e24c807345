import type { Event, Id } from "../../contract/index.ts";
import { type Db, getHosts } from "../../db/index.ts";
import type { Logger } from "../../lib/index.ts";

/** Tells users which hosts have changed: some one by one, as their rows are now; a fleet as a whole, so that no page gets megabytes of events. */
export interface ChangedHosts {
  add(ids: readonly Id[]): void;
  stop(): void;
}

interface Options {
  db: Pick<Db, "query">;
  logger: Logger;
  publish(event: Event): void;
}

const toldOneByOne = 100;
const gatherMs = 50;
/** After word of a fleet, which makes every page read all of it. */
const fleetPaceMs = 2000;

export function createChangedHosts({ db, logger, publish }: Options): ChangedHosts {
  let changed = new Set<Id>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const tell = async (): Promise<number> => {
    const ids = [...changed];
    changed = new Set();
    if (ids.length === 0) return 0;
    if (ids.length > toldOneByOne) {
      publish({ type: "hosts" });
      return fleetPaceMs;
    }
    for (const host of await getHosts(db.query, ids)) publish({ type: "host", host });
    return 0;
  };
  const later = (ms: number) => {
    if (stopped) return;
    timer = setTimeout(async () => {
      const restMs = await tell().catch((error: unknown) => {
        logger.warn({ err: error }, "changed hosts could not be read; whoever waits for them will poll");
        return 0;
      });
      timer = undefined;
      if (changed.size > 0 || restMs > 0) later(restMs + gatherMs);
    }, ms);
  };
  return {
    add(ids) {
      for (const id of ids) changed.add(id);
      if (timer === undefined && changed.size > 0) later(gatherMs);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
