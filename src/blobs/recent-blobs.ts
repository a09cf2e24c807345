import type { BlobKey } from "../contract/index.ts";

/** Blobs that were read and found right a moment ago: after a change, every host asks for the same few. Bounded by their bytes; the least recently used go first. */
export interface RecentBlobs {
  get(key: BlobKey): Uint8Array<ArrayBuffer> | undefined;
  keep(key: BlobKey, bytes: Uint8Array<ArrayBuffer>): void;
}

/** `limitBytes`: of all. One that takes more than a quarter of it is not kept. */
export function createRecentBlobs({ limitBytes = 64 * 1024 * 1024 } = {}): RecentBlobs {
  const kept = new Map<BlobKey, Uint8Array<ArrayBuffer>>();
  let total = 0;
  const drop = (key: BlobKey): Uint8Array<ArrayBuffer> | undefined => {
    const bytes = kept.get(key);
    if (kept.delete(key)) total -= bytes?.length ?? 0;
    return bytes;
  };
  const put = (key: BlobKey, bytes: Uint8Array<ArrayBuffer>): void => {
    kept.set(key, bytes);
    total += bytes.length;
  };
  return {
    get(key) {
      const bytes = drop(key);
      // To the end of the map: it is in order of use.
      if (bytes) put(key, bytes);
      return bytes;
    },
    keep(key, bytes) {
      drop(key);
      if (bytes.length > limitBytes / 4) return;
      put(key, bytes);
      for (const oldest of kept.keys()) {
        if (total <= limitBytes) return;
        drop(oldest);
      }
    },
  };
}
