import {
  blobKeyOf,
  type EnvironmentName,
  formatPlatform,
  type Host,
  type Id,
  nodeOf,
  type Platform,
  parseManifest,
  viewForPlatform,
} from "../../contract/index.ts";
import {
  currentGeneration,
  type Db,
  getAllowlist,
  getBlobEntries,
  getManifest,
  getOperation,
  getQuarantinedStores,
  listHosts,
} from "../../db/index.ts";
import type { Logger } from "../../lib/index.ts";
import { requestInstall } from "../../operations/index.ts";
import { formatNotice, type Notice } from "../events/notice.ts";

/** Sees to it that hosts which came after the last install, with a platform it did not fetch for, get what they lack. */
export interface Stocker {
  /** Called with what a host has just reported. Never throws: a report is worth keeping whatever comes of this. */
  consider(host: Host): Promise<void>;
  /** When what it asked for is done, the hosts that wait are woken. */
  notice(notice: Notice): void;
}

/** Hosts in trouble report often, and many at once; one look answers for all of a platform. */
const lookEveryMs = 2000;

/**
 * A host in trouble may lack blobs that nobody ever fetched. Installing the same allowlist again fetches just those and makes no new generation; but not
 * while the allowlist has changes that nobody has installed yet: those are an admin's to release.
 */
export function createStocker({ db, logger }: { db: Db; logger: Logger }): Stocker {
  const lookedAt = new Map<string, number>();
  const asked = new Set<Id>();

  const wakeWaiting = async (id: Id) => {
    const operation = await getOperation(db.query, id);
    if (operation?.state === "queued" || operation?.state === "running") return;
    if (!asked.delete(id) || operation?.state !== "succeeded" || operation.kind !== "install") return;
    const waiting = (await listHosts(db.query, operation.environment)).filter(({ phase }) => phase === "error");
    for (const host of waiting) await db.notify(db.query, formatNotice({ type: "reconcile", hostId: host.id }));
  };

  return {
    async consider({ id, environment, phase, platform }) {
      if (phase !== "error" || platform === undefined) return;
      const key = `${environment} ${formatPlatform(platform)}`;
      if (performance.now() - (lookedAt.get(key) ?? Number.NEGATIVE_INFINITY) < lookEveryMs) return;
      lookedAt.set(key, performance.now());
      try {
        if (await isStocked(db, environment, platform)) return;
        if ((await getAllowlist(db.query, environment))?.installDue !== false) return;
        const { operation } = await requestInstall(db, { environment, requestedBy: `host ${id}` });
        asked.add(operation.id);
        logger.info({ environment, platform, operation: operation.id }, "fetching what a host of this platform lacks");
      } catch (error) {
        logger.warn({ err: error, environment, platform }, "could not see whether a host lacks something");
      }
    },
    notice(notice) {
      const ended =
        notice.type === "resumed" ? [...asked] : notice.type === "operation" && asked.has(notice.id) ? [notice.id] : [];
      for (const id of ended) {
        wakeWaiting(id).catch((error: unknown) => logger.warn({ err: error }, "hosts were not woken; they will poll"));
      }
    },
  };
}

/** Whether the index has every blob that a host of `platform` needs for the current generation, and nothing bad is known of its copy. */
async function isStocked({ query }: Db, environment: EnvironmentName, platform: Platform): Promise<boolean> {
  const generation = await currentGeneration(query, environment);
  const stored = generation && (await getManifest(query, generation.lockfileHash));
  if (stored === undefined) return true;
  const manifest = parseManifest(stored.body);
  const keys = new Set([...viewForPlatform(manifest, platform).nodes].map((id) => blobKeyOf(nodeOf(manifest, id).integrity)));
  const [entries, bad] = [await getBlobEntries(query, [...keys]), await getQuarantinedStores(query, [...keys])];
  return [...keys].every((key) => {
    const entry = entries.get(key);
    return entry !== undefined && !bad.get(key)?.includes(entry.store);
  });
}
