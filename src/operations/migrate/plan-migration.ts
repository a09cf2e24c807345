import type { MigratePlan } from "../../contract/index.ts";
import { getActiveStore, listStoreUsage, type Queryable, type StoreUsage } from "../../db/index.ts";

/** What moving everything to `target` means, from where the index says that things are. Pure; also the dry run. */
export function planMigration({
  active,
  target,
  usage,
}: {
  active: string;
  target: string;
  usage: readonly StoreUsage[];
}): MigratePlan {
  const from = usage.filter(({ store }) => store !== target);
  const toMove = sum(from, "blobs");
  return {
    active,
    target,
    blobs: sum(usage, "blobs"),
    bytes: sum(usage, "bytes"),
    toMove,
    bytesToMove: sum(from, "bytes"),
    from,
    needed: toMove > 0 || active !== target,
  };
}

const sum = (usage: readonly StoreUsage[], what: "blobs" | "bytes"): number =>
  usage.reduce((total, each) => total + each[what], 0);

/** The plan as of now. */
export async function readMigrationPlan(tx: Queryable, target: string): Promise<MigratePlan> {
  return planMigration({ active: (await getActiveStore(tx)) ?? target, target, usage: await listStoreUsage(tx) });
}
