import type { PackageName } from "../contract/index.ts";
import type { Packument } from "../npm/index.ts";

export interface CachedPackument {
  /** What the registry is asked to confirm before the body is used again. */
  etag: string;
  body: Packument;
  /** When the registry last gave or confirmed it, by `performance.now()`. */
  confirmedAt?: number;
}

/** Packuments kept between installs. Forgetting one costs a download, nothing else. */
export interface PackumentCache {
  get(name: PackageName): CachedPackument | undefined;
  put(name: PackageName, entry: CachedPackument): void;
  clear(): void;
}

/** Keeps the most recently used, up to `versions` described versions in all (each takes about 1 to 2 KB). */
export function createPackumentCache({ versions: limit = 100_000 }: { versions?: number } = {}): PackumentCache {
  const entries = new Map<PackageName, { entry: CachedPackument; weight: number }>();
  let total = 0;
  const forget = (name: PackageName) => {
    total -= entries.get(name)?.weight ?? 0;
    entries.delete(name);
  };
  return {
    get(name) {
      const found = entries.get(name);
      if (found === undefined) return undefined;
      entries.delete(name);
      entries.set(name, found);
      return found.entry;
    },
    clear() {
      entries.clear();
      total = 0;
    },
    put(name, entry) {
      forget(name);
      const weight = 1 + Object.keys(entry.body.versions).length;
      if (weight > limit) return;
      entries.set(name, { entry, weight });
      total += weight;
      for (const oldest of entries.keys()) {
        if (total <= limit) break;
        forget(oldest);
      }
    },
  };
}
