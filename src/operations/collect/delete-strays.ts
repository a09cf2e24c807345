import type { BlobStore } from "../../blobs/index.ts";
import { LarderError } from "../../contract/index.ts";
import {
  addReclaimedBytes,
  forgetRevivedStrays,
  forgetStrayBlobs,
  getBlobEntries,
  getQuarantinedStores,
  listStrayBlobs,
  type Queryable,
  type StrayBlob,
  stillStray,
  whileEpochHolds,
} from "../../db/index.ts";
import { failpoint, mapConcurrent } from "../../lib/index.ts";
import type { OperationRun } from "../operation-handler.ts";
import type { CollectOptions } from "./collect.ts";
import type { CollectTally } from "./tally.ts";

const atOnce = 100;
/** Each holds a connection besides the one that holds the epoch. */
const parallel = 4;
/**
 * The longest that one batch may hold the epoch. It is looked at before each deletion, on a clock that goes on while a process is stopped: who wakes up later than
 * this deletes nothing more, for somebody else may be elected and have put the blob back.
 */
const holdMs = 5000;

/** Deletes the bytes of strays that are older than the grace. What fails stays for the next pass. */
export async function deleteStrays(options: CollectOptions, run: OperationRun<"collect">, tally: CollectTally): Promise<void> {
  const { db } = options;
  const { operation, epoch, signal, report } = run;
  const { graceMs } = operation.input;
  for (let failures = 0; ; failures = tally.failures()) {
    signal.throwIfAborted();
    const due = await listStrayBlobs(db.query, { graceMs, limit: atOnce + failures });
    const batch = due.filter((stray) => !tally.hasFailed(stray)).slice(0, atOnce);
    if (batch.length === 0) return;
    const opened = await openStores(options, batch, { tally, signal });
    await failpoint("collect:before-bytes");
    await whileEpochHolds(db, epoch, (tx) => deleteBatch(tx, batch, { opened, tally, signal }));
    await failpoint("collect:after-batch");
    const { deleted, strays } = tally.read();
    report({ phase: "bytes", done: deleted.blobs + strays.blobs, doneBytes: deleted.bytes + strays.bytes });
  }
}

interface Deleting {
  opened: Map<string, BlobStore>;
  tally: CollectTally;
  signal: AbortSignal;
}

async function deleteBatch(tx: Queryable, batch: readonly StrayBlob[], { opened, tally, signal }: Deleting): Promise<void> {
  const begunAt = performance.now();
  tally.revived(await forgetRevivedStrays(tx));
  const doomed = await expendable(tx, await stillStray(tx, batch), { opened, tally, signal });
  const gone: StrayBlob[] = [];
  await failpoint("collect:holding");
  await mapConcurrent(doomed, { limit: parallel, signal }, async (stray) => {
    if (performance.now() - begunAt > holdMs) return;
    try {
      await opened.get(stray.store)?.delete(stray.key);
      gone.push(stray);
    } catch (error) {
      tally.blobFailed(stray, error);
    }
  });
  await failpoint("collect:after-bytes");
  for (const stray of gone) tally.bytesDeleted(stray);
  await forgetStrayBlobs(tx, gone);
  await addReclaimedBytes(
    tx,
    gone.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  );
}

/** Without those that are the only good copy of what the index has elsewhere: a row that names a store is not proof that the store still has it. */
async function expendable(tx: Queryable, strays: readonly StrayBlob[], deleting: Deleting): Promise<StrayBlob[]> {
  const { opened, tally, signal } = deleting;
  const keys = strays.map(({ key }) => key);
  const [recorded, quarantined] = [await getBlobEntries(tx, keys), await getQuarantinedStores(tx, keys)];
  const kept = await mapConcurrent(strays, { limit: parallel, signal }, async (stray) => {
    if (!opened.has(stray.store)) return [];
    const entry = recorded.get(stray.key);
    if (entry === undefined) return [stray];
    try {
      const copy = quarantined.get(stray.key)?.includes(entry.store) ? undefined : await opened.get(entry.store)?.head(stray.key);
      if (copy?.sizeBytes === entry.sizeBytes) return [stray];
      throw new LarderError(
        "E_BLOB_MISSING",
        `It may be the only good copy: ${entry.store}, where it should be, does not have it.`,
      );
    } catch (error) {
      tally.blobFailed(stray, error);
      return [];
    }
  });
  return kept.flat();
}

/** Those that the batch is in, and those where the index has its keys. A store that cannot be opened is left out. */
async function openStores(
  { db, stores, logger }: CollectOptions,
  batch: readonly StrayBlob[],
  { tally, signal }: { tally: CollectTally; signal: AbortSignal },
): Promise<Map<string, BlobStore>> {
  const recorded = await getBlobEntries(
    db.query,
    batch.map(({ key }) => key),
  );
  const names = new Set([...batch.map(({ store }) => store), ...[...recorded.values()].map(({ store }) => store)]);
  const opened = new Map<string, BlobStore>();
  for (const name of names) {
    try {
      opened.set(name, await stores.open(name));
    } catch (error) {
      tally.storeFailed(name, error, signal);
      logger.warn({ store: name, err: error }, "a blob store cannot be opened; the next collection tries again");
    }
  }
  return opened;
}
