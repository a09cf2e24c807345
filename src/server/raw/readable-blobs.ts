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
  const recent = new Map<string, { askedAt: number; entry: Promise<BlobEntry | undefined> }>();
  return {
    async find(environment, key) {
      const label = `${environment} ${key}`;
      const known = recent.get(label);
      if (known && performance.now() - known.askedAt < keptMs) return await known.entry;
      const asked = { askedAt: performance.now(), entry: getBlobEntryOf(db.query, environment, key) };
      recent.delete(label);
      recent.set(label, asked);
      for (const oldest of recent.keys()) if (recent.size > kept) recent.delete(oldest);
      const forget = () => {
        if (recent.get(label) === asked) recent.delete(label);
      };
      const entry = await asked.entry.catch((error) => {
        forget();
        throw error;
      });
      if (entry === undefined) forget();
      return entry;
    },
  };
}
