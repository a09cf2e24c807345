import type { BlobStores } from "../../blobs/index.ts";
import type { CollectResult } from "../../contract/index.ts";
import {
  assertEpoch,
  type Db,
  dropBlobEntries,
  dropUnreferencedManifests,
  forgetRevivedStrays,
  getActiveStore,
  getBlobEntries,
  listCollectableBlobs,
  listUsedStores,
  markUnreferenced,
  noteStrayBlobs,
  reclaimedBytes,
  strayUsage,
  unreferencedUsage,
} from "../../db/index.ts";
import { failpoint, type Logger } from "../../lib/index.ts";
import type { OperationHandler, OperationRun } from "../operation-handler.ts";
import { deleteStrays } from "./delete-strays.ts";
import { type CollectTally, createCollectTally } from "./tally.ts";

export interface CollectOptions {
  db: Db;
  stores: BlobStores;
  logger: Logger;
}

const rowsAtOnce = 500;
const keysAtOnce = 1000;

/**
 * Removes what nothing has referred to for the grace: pointer → row → bytes. Manifests that no generation or host needs go first, then rows of blobs that no manifest
 * names; each leaves a stray, and strays' bytes go last. What is killed anywhere between leaves nothing that the next pass does not find.
 */
export function createCollectHandler(options: CollectOptions): OperationHandler<"collect"> {
  return async (run) => {
    const startedAt = performance.now();
    const { db } = options;
    const { graceMs } = run.operation.input;
    const tally = createCollectTally();
    run.report({ phase: "pointers", done: 0 });
    const manifests = await dropPointers(db, run);
    await failpoint("collect:after-pointers");
    await dropRows(db, run, tally);
    await findStrays(options, run, tally);
    await failpoint("collect:after-listing");
    await deleteStrays(options, run, tally);
    const [unreferenced, strays] = [await unreferencedUsage(db.query), await strayUsage(db.query, graceMs)];
    const within = (what: "blobs" | "bytes", due: "dueBlobs" | "dueBytes") =>
      strays.reduce((sum, store) => sum + store[what] - store[due], unreferenced[what]);
    return {
      manifests,
      ...tally.read(),
      keptWithinGrace: { blobs: within("blobs", "dueBlobs"), bytes: within("bytes", "dueBytes") },
      reclaimedTotalBytes: await reclaimedBytes(db.query),
      durationMs: Math.round(performance.now() - startedAt),
    } satisfies CollectResult;
  };
}

/** Generations that are committed meanwhile wait, so that what is marked here is unreferenced when it is dropped. */
async function dropPointers(db: Db, { operation, epoch }: OperationRun<"collect">): Promise<number> {
  const { graceMs, keep } = operation.input;
  return await db.transaction(async (tx) => {
    await assertEpoch(tx, epoch);
    await markUnreferenced(tx, keep);
    await failpoint("collect:marked");
    return await dropUnreferencedManifests(tx, graceMs);
  });
}

async function dropRows(
  db: Db,
  { operation, epoch, signal, report }: OperationRun<"collect">,
  tally: CollectTally,
): Promise<void> {
  const { graceMs } = operation.input;
  for (;;) {
    signal.throwIfAborted();
    const keys = await listCollectableBlobs(db.query, { graceMs, limit: rowsAtOnce });
    if (keys.length === 0) return;
    await failpoint("collect:before-rows");
    const dropped = await db.transaction(async (tx) => {
      await assertEpoch(tx, epoch);
      return await dropBlobEntries(tx, { keys, graceMs, epoch });
    });
    tally.rowsDropped(dropped, keys.length - dropped.length);
    report({ phase: "rows", done: tally.rows() });
    await failpoint("collect:after-rows");
  }
}

/** Bytes that the index does not name where they are: what a crash left between bytes and row, and what nobody noted when it was left. */
async function findStrays(
  { db, stores, logger }: CollectOptions,
  { epoch, signal, report }: OperationRun<"collect">,
  tally: CollectTally,
): Promise<void> {
  const used = new Set([await getActiveStore(db.query), ...(await listUsedStores(db.query))]);
  for (const name of stores.names.filter((each) => used.has(each))) {
    report({ phase: `list ${name}`, done: 0 });
    try {
      const store = await stores.open(name);
      let page: { key: Parameters<typeof store.head>[0]; sizeBytes: number }[] = [];
      const note = async () => {
        const entries = await getBlobEntries(
          db.query,
          page.map(({ key }) => key),
        );
        const strays = page.filter(({ key }) => entries.get(key)?.store !== name);
        page = [];
        if (strays.length === 0) return;
        await db.transaction(async (tx) => {
          await assertEpoch(tx, epoch);
          await noteStrayBlobs(tx, name, strays);
        });
      };
      for await (const found of store.list({ signal })) {
        page.push(found);
        if (page.length === keysAtOnce) await note();
      }
      await note();
    } catch (error) {
      tally.storeFailed(name, error, signal);
      logger.warn({ store: name, err: error }, "a blob store cannot be listed; the next collection tries again");
    }
  }
  await db.transaction(async (tx) => {
    await assertEpoch(tx, epoch);
    tally.revived(await forgetRevivedStrays(tx));
  });
}
