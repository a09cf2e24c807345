import { LRUCache } from "lru-cache";
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
export type PackumentCache = Pick<LRUCache<PackageName, CachedPackument>, "get" | "set" | "clear">;

/** Keeps the most recently used, up to `versions` described versions in all (each takes about 1 to 2 KB). */
export const createPackumentCache = ({ versions = 100_000 }: { versions?: number } = {}): PackumentCache =>
  new LRUCache({ maxSize: versions, sizeCalculation: ({ body }) => 1 + Object.keys(body.versions).length });
