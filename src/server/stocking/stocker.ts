import { type EnvironmentName, formatPlatform, type Host, type Platform } from "../../contract/index.ts";
import { activeOperation, type Db, fruitlessStocks, listEnvironments } from "../../db/index.ts";
import type { Logger } from "../../lib/index.ts";
import { lackingPlatforms, readWants, requestStock } from "../../operations/index.ts";
import type { Notice } from "../events/notice.ts";

/** Sees to it that hosts get what nobody has fetched yet: for a platform that came after the install, after a rollback or promotion, or when a blob was lost. */
export interface Stocker extends Disposable {
  /** Called with what a host has just reported, or joined with. Never throws: a report is worth keeping whatever comes of this. */
  consider(host: Pick<Host, "environment" | "phase"> & { platform?: Platform | null | undefined }): Promise<void>;
  /** A new generation is looked at for all platforms, when the hosts that lack nothing have been served. */
  notice(notice: Notice): void;
  /** Looks at all environments once, for what no host reports: platforms that this start was given and the one before was not. Again every ten minutes while something lacks. */
  begin(): void;
}

export interface StockerOptions {
  db: Db;
  logger: Logger;
  /** Stocked besides those of hosts. */
  platforms: readonly Platform[];
  /** Hosts in trouble report often, and many at once; one look answers for all of a platform. */
  lookEveryMs?: number;
  lookAfterMs?: number;
  lookAgainMs?: number;
}

const pauseMs = 5000;
const longestPauseMs = 600_000;

/** Any replica may ask: they join. How long to wait after what brought nothing is told by the operations themselves, so that all replicas wait together. */
export function createStocker(options: StockerOptions): Stocker {
  const { db, logger, platforms, lookEveryMs = 2000, lookAfterMs = 1000, lookAgainMs = longestPauseMs } = options;
  const lookedAt = new Map<string, number>();
  const coming = new Map<EnvironmentName, NodeJS.Timeout>();

  let disposed = false;
  let nextRound: NodeJS.Timeout | undefined;

  /** Whether something lacks. */
  const look = async (environment: EnvironmentName): Promise<boolean> => {
    try {
      const { lacking, fetchNow } = await lackingNow({ db, platforms }, environment);
      if (!fetchNow) return lacking.length > 0;
      const { operation, joined } = await requestStock(db, { environment, requestedBy: "stocker" });
      if (!joined)
        logger.info({ environment, platforms: lacking.map(formatPlatform), operation: operation.id }, "fetching what hosts lack");
    } catch (error) {
      logger.warn({ err: error, environment }, "could not see whether hosts lack something");
    }
    return true;
  };

  const lookAtAll = async (): Promise<boolean> => {
    let lacks = false;
    for (const { name } of await listEnvironments(db.query)) lacks = (await look(name)) || lacks;
    return lacks;
  };
  const later = (ms: number): void => {
    if (!disposed) nextRound = setTimeout(round, ms);
  };
  const round = (): void => {
    lookAtAll()
      .catch((error: unknown) => {
        logger.warn({ err: error }, "could not see whether an environment lacks something");
        return true;
      })
      .then((lacks) => lacks && later(lookAgainMs));
  };

  return {
    async consider({ environment, phase, platform }) {
      if ((phase !== "error" && phase !== "pending") || !platform) return;
      const key = `${environment} ${formatPlatform(platform)}`;
      if (performance.now() - (lookedAt.get(key) ?? Number.NEGATIVE_INFINITY) < lookEveryMs) return;
      lookedAt.set(key, performance.now());
      await look(environment);
    },
    notice(notice) {
      if (notice.type !== "desired" || coming.has(notice.environment)) return;
      const { environment } = notice;
      const soon = setTimeout(() => {
        coming.delete(environment);
        void look(environment);
      }, lookAfterMs);
      coming.set(environment, soon);
    },
    begin() {
      later(lookAfterMs);
    },
    [Symbol.dispose]() {
      disposed = true;
      clearTimeout(nextRound);
      for (const soon of coming.values()) clearTimeout(soon);
    },
  };
}

/** Platforms that lack something; not to be fetched for now while an install will see to it, or while it is better to wait. */
async function lackingNow(
  { db, platforms }: Pick<StockerOptions, "db" | "platforms">,
  environment: EnvironmentName,
): Promise<{ lacking: Platform[]; fetchNow: boolean }> {
  const wants = await readWants(db.query, { environment, platforms });
  const lacking = wants ? await lackingPlatforms(db.query, wants) : [];
  if (wants === undefined || lacking.length === 0) return { lacking, fetchNow: false };
  if (await activeOperation(db.query, { kind: "install", environment })) return { lacking, fetchNow: false };
  const { count, cancelled, sinceMs } = await fruitlessStocks(db.query, { environment, since: wants.generation.createdAt });
  const waitMs = cancelled ? longestPauseMs : count === 0 ? 0 : Math.min(longestPauseMs, pauseMs * 2 ** (count - 1));
  return { lacking, fetchNow: sinceMs >= waitMs };
}
