import { type EnvironmentName, formatPlatform, type Host, type Platform } from "../../contract/index.ts";
import { activeOperation, type Db, fruitlessStocks } from "../../db/index.ts";
import type { Logger } from "../../lib/index.ts";
import { lackingPlatforms, readWants, requestStock } from "../../operations/index.ts";
import type { Notice } from "../events/notice.ts";

/** Sees to it that hosts get what nobody has fetched yet: for a platform that came after the install, after a rollback or promotion, or when a blob was lost. */
export interface Stocker extends Disposable {
  /** Called with what a host has just reported, or joined with. Never throws: a report is worth keeping whatever comes of this. */
  consider(host: Pick<Host, "environment" | "phase"> & { platform?: Platform | null | undefined }): Promise<void>;
  /** A new generation is looked at for all platforms, when the hosts that lack nothing have been served. */
  notice(notice: Notice): void;
}

export interface StockerOptions {
  db: Db;
  logger: Logger;
  /** Stocked besides those of hosts. */
  platforms: readonly Platform[];
  /** Hosts in trouble report often, and many at once; one look answers for all of a platform. */
  lookEveryMs?: number;
  lookAfterMs?: number;
}

const pauseMs = 5000;
const longestPauseMs = 600_000;

/** Any replica may ask: they join. How long to wait after what brought nothing is told by the operations themselves, so that all replicas wait together. */
export function createStocker({ db, logger, platforms, lookEveryMs = 2000, lookAfterMs = 1000 }: StockerOptions): Stocker {
  const lookedAt = new Map<string, number>();
  const coming = new Map<EnvironmentName, NodeJS.Timeout>();

  const look = async (environment: EnvironmentName): Promise<void> => {
    try {
      const lacking = await lackingNow({ db, platforms }, environment);
      if (lacking.length === 0) return;
      const { operation, joined } = await requestStock(db, { environment, requestedBy: "stocker" });
      if (!joined)
        logger.info({ environment, platforms: lacking.map(formatPlatform), operation: operation.id }, "fetching what hosts lack");
    } catch (error) {
      logger.warn({ err: error, environment }, "could not see whether hosts lack something");
    }
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
      const later = setTimeout(() => {
        coming.delete(environment);
        void look(environment);
      }, lookAfterMs);
      coming.set(environment, later);
    },
    [Symbol.dispose]() {
      for (const later of coming.values()) clearTimeout(later);
    },
  };
}

/** Platforms to fetch for at once; none while an install will see to it, or while it is better to wait. */
async function lackingNow(
  { db, platforms }: Pick<StockerOptions, "db" | "platforms">,
  environment: EnvironmentName,
): Promise<Platform[]> {
  const wants = await readWants(db.query, { environment, platforms });
  const lacking = wants ? await lackingPlatforms(db.query, wants) : [];
  if (wants === undefined || lacking.length === 0) return [];
  if (await activeOperation(db.query, { kind: "install", environment })) return [];
  const { count, cancelled, sinceMs } = await fruitlessStocks(db.query, { environment, since: wants.generation.createdAt });
  const waitMs = cancelled ? longestPauseMs : count === 0 ? 0 : Math.min(longestPauseMs, pauseMs * 2 ** (count - 1));
  return sinceMs >= waitMs ? lacking : [];
}
