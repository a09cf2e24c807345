import type { BlobKey } from "../../contract/index.ts";
import type { LoadedTypes } from "../../types/index.ts";

type Ready = Extract<LoadedTypes, { kind: "ready" }>;

/** Keeps what was used last, up to a sum of weights. */
export interface OutlineCache {
  get(key: BlobKey): Ready | undefined;
  set(key: BlobKey, value: Ready, weight: number): void;
}

/** In characters of JSON: about a tenth of what the declarations themselves come to. */
const maxWeight = 48 << 20;

export function createOutlineCache(limit = maxWeight): OutlineCache {
  const entries = new Map<BlobKey, { value: Ready; weight: number }>();
  let total = 0;
  const remove = (key: BlobKey) => {
    total -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, weight) {
      remove(key);
      entries.set(key, { value, weight });
      total += weight;
      for (const oldest of entries.keys()) {
        if (total <= limit || oldest === key) break;
        remove(oldest);
      }
    },
  };
}
