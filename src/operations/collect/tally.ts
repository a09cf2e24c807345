import { type BlobKey, type CollectResult, hasCode, LarderError } from "../../contract/index.ts";

const failuresListed = 50;
/** More strays than are looked at in one pass when a store is away: what comes behind them waits for the next. */
const everything = 20_000;

/** What a collection has done so far. */
export interface CollectTally {
  /** Rows that are gone, and of how many it was found in the last moment that somebody wants them. */
  rowsDropped(dropped: readonly { store: string; key: BlobKey }[], revived: number): void;
  rows(): number;
  revived(count: number): void;
  bytesDeleted(stray: { store: string; key: BlobKey; sizeBytes: number }): void;
  blobFailed(stray: { store: string; key: BlobKey }, error: unknown): void;
  /** Throws on what ends the operation. */
  storeFailed(store: string, error: unknown, signal: AbortSignal): void;
  /** How many strays at most are passed over because of failures. */
  failures(): number;
  hasFailed(stray: { store: string; key: BlobKey }): boolean;
  read(): Pick<CollectResult, "deleted" | "strays" | "revived" | "failed" | "failures" | "reclaimedBytes">;
}

export function createCollectTally(): CollectTally {
  const dropped = new Set<string>();
  const failed = new Map<string, CollectResult["failures"][number]>();
  const failedStores = new Set<string>();
  const [deleted, strays] = [
    { blobs: 0, bytes: 0 },
    { blobs: 0, bytes: 0 },
  ];
  let revived = 0;
  return {
    rowsDropped(rows, wanted) {
      for (const row of rows) dropped.add(nameOf(row));
      revived += wanted;
    },
    rows: () => dropped.size,
    revived(count) {
      revived += count;
    },
    bytesDeleted(stray) {
      const amount = dropped.has(nameOf(stray)) ? deleted : strays;
      amount.blobs += 1;
      amount.bytes += stray.sizeBytes;
    },
    blobFailed({ store, key }, error) {
      failed.set(nameOf({ store, key }), { blob: key, store, message: LarderError.from(error).message });
    },
    storeFailed(store, error, signal) {
      if (signal.aborted || hasCode(error, "E_FENCED")) throw error;
      failedStores.add(store);
      failed.set(store, { store, message: LarderError.from(error).message });
    },
    failures: () => (failedStores.size > 0 ? everything : failed.size),
    hasFailed: (stray) => failedStores.has(stray.store) || failed.has(nameOf(stray)),
    read: () => ({
      deleted,
      strays,
      revived,
      failed: failed.size,
      failures: [...failed.values()].slice(0, failuresListed),
      reclaimedBytes: deleted.bytes + strays.bytes,
    }),
  };
}

const nameOf = ({ store, key }: { store: string; key: BlobKey }): string => `${store} ${key}`;
