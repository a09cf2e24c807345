import type { CollectInput, CollectPlan } from "../../contract/index.ts";
import { previewRetention, type Queryable, strayUsage } from "../../db/index.ts";

/** What a collection would find, as far as earlier ones and migrations have noted it: the stores themselves are not listed. The dry run. */
export async function readCollectionPlan(tx: Queryable, input: CollectInput): Promise<CollectPlan> {
  const [retention, strays] = [await previewRetention(tx, input), await strayUsage(tx, input.graceMs)];
  const sum = (amount: (store: (typeof strays)[number]) => number) => strays.reduce((total, store) => total + amount(store), 0);
  const due = { blobs: sum(({ dueBlobs }) => dueBlobs), bytes: sum(({ dueBytes }) => dueBytes) };
  const { keptWithinGrace: kept } = retention;
  return {
    ...retention,
    strays: due,
    keptWithinGrace: {
      blobs: kept.blobs + sum(({ blobs }) => blobs) - due.blobs,
      bytes: kept.bytes + sum(({ bytes }) => bytes) - due.bytes,
    },
  };
}
