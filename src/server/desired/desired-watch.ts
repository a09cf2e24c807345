import type { EnvironmentName } from "../../contract/index.ts";
import { type Db, listDesiredGenerations } from "../../db/index.ts";
import type { Logger } from "../../lib/index.ts";
import type { Notice } from "../events/notice.ts";

/** Sees a new generation also when its notice was lost, and then announces it as the notice would have. */
export interface DesiredWatch extends AsyncDisposable {
  notice(notice: Notice): void;
}

interface WatchOptions {
  db: Db;
  logger: Logger;
  announce(notice: Notice): void;
  /** One small question to the database for all environments. */
  everyMs?: number;
}

export function startDesiredWatch({ db, logger, announce, everyMs = 2000 }: WatchOptions): DesiredWatch {
  const known = new Map<EnvironmentName, number>();
  let primed = false;
  let looking: Promise<void> | undefined;

  const look = async () => {
    const current = await listDesiredGenerations(db.query);
    for (const { environment, generation } of current) {
      if (generation <= (known.get(environment) ?? 0)) continue;
      // What was there before this replica is no news.
      if (primed) announce({ type: "desired", environment, generation });
      known.set(environment, generation);
    }
    primed = true;
  };
  const lookOnce = () => {
    looking ??= look()
      .catch((error: unknown) => logger.warn({ err: error }, "could not look for new generations; trying again"))
      .finally(() => {
        looking = undefined;
      });
  };
  const timer = setInterval(lookOnce, everyMs);
  lookOnce();

  return {
    notice(notice) {
      if (notice.type === "resumed") lookOnce();
      if (notice.type === "desired") {
        known.set(notice.environment, Math.max(notice.generation, known.get(notice.environment) ?? 0));
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await looking;
    },
  };
}
