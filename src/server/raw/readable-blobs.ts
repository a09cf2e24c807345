import { LRUCache } from "lru-cache";
import type { BlobKey, EnvironmentName } from "../../contract/index.ts";
import { type BlobEntry, type Db, getBlobEntryOf } from "../../db/index.ts";

/** Which blobs the hosts of an environment may read. What was found serves for a second: after a change, every host asks for the same few. */
export interface ReadableBlobs {
  /** `undefined`: not there, or not theirs. Asks the database each time, so that both take the same. */
  find(environment: EnvironmentName, key: BlobKey): Promise<BlobEntry | undefined>;
}

const keptMs = 1000;
const kept = 1000;

export function createReadableBlobs({ db }: { db: Db }): ReadableBlobs {
  const recent = new LRUCache<string, Promise<BlobEntry | undefined>>({ max: kept, ttl: keptMs });
  return {
    async find(environment, key) {
      const label = `${environment} ${key}`;
      const known = recent.get(label);
      if (known) return await known;
      const asked = getBlobEntryOf(db.query, environment, key);
      recent.set(label, asked);
      const forget = () => {
        if (recent.peek(label) === asked) recent.delete(label);
      };
      const entry = await asked.catch((error) => {
        forget();
        throw error;
      });
      if (entry === undefined) forget();
      return entry;
    },
  };
}
