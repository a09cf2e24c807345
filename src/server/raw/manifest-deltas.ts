import { LRUCache } from "lru-cache";
import { diffManifests, type EnvironmentName, type LockfileHash, type Manifest } from "../../contract/index.ts";
import { type Db, getManifestOf } from "../../db/index.ts";

interface Asked {
  environment: EnvironmentName;
  from: LockfileHash;
  to: LockfileHash;
}

/** The JSON of `ManifestDelta`s. All hosts of an environment ask for the same one after an install. */
export interface ManifestDeltas {
  /** `undefined` unless `environment` has both. */
  between(asked: Asked): Promise<string | undefined>;
}

const kept = 32;

export function createManifestDeltas({ db }: { db: Db }): ManifestDeltas {
  const deltas = new LRUCache<string, Promise<string | undefined>>({ max: kept });
  const make = async ({ environment, from, to }: Asked): Promise<string | undefined> => {
    const older = await getManifestOf(db.query, environment, from);
    const newer = older && (await getManifestOf(db.query, environment, to));
    // Both were checked when they were published.
    return newer && JSON.stringify(diffManifests(JSON.parse(older.body) as Manifest, JSON.parse(newer.body) as Manifest));
  };
  return {
    async between(asked) {
      const key = `${asked.environment} ${asked.from} ${asked.to}`;
      const known = deltas.get(key);
      if (known) return await known;
      const making = make(asked);
      deltas.set(key, making);
      const delta = await making.catch((error) => {
        deltas.delete(key);
        throw error;
      });
      // It may be there later.
      if (delta === undefined) deltas.delete(key);
      return delta;
    },
  };
}
