import type { MigrationStatus, Operation } from "../../contract/index.ts";
import { blobUsage, latestOperation, listStoreUsage, type Queryable } from "../../db/index.ts";

const states: Record<Operation["state"], MigrationStatus["state"]> = {
  queued: "running",
  running: "running",
  // A new attempt is queued in the same transaction.
  interrupted: "running",
  fenced: "running",
  succeeded: "idle",
  failed: "failed",
  cancelled: "cancelled",
};

/** How far the migration is that is under way or was stopped, from the index. */
export async function readMigrationStatus(tx: Queryable): Promise<MigrationStatus> {
  const latest = await latestOperation(tx, "migrate");
  const state = latest ? states[latest.state] : "idle";
  if (latest === undefined || state === "idle")
    return { state: "idle", target: null, error: null, done: 0, total: 0, doneBytes: 0, totalBytes: 0 };
  const { target } = latest.input;
  const { blobs: total, bytes: totalBytes } = await blobUsage(tx);
  const there = (await listStoreUsage(tx)).find(({ store }) => store === target);
  const { blobs: done, bytes: doneBytes } = there ?? { blobs: 0, bytes: 0 };
  const rate = state === "running" ? latest.progress?.bytesPerSecond : undefined;
  const failures = latest.error?.details?.blobs as MigrationStatus["failures"];
  return {
    state,
    target,
    operationId: latest.id,
    done,
    total,
    doneBytes,
    totalBytes,
    ...(rate ? { bytesPerSecond: rate, remainingMs: Math.round(((totalBytes - doneBytes) / rate) * 1000) } : {}),
    ...(state === "running" ? { error: null } : stopped(latest.error, state)),
    ...(failures ? { failures } : {}),
  };
}

function stopped(error: Operation["error"], state: "failed" | "cancelled"): Pick<MigrationStatus, "error" | "hint"> {
  const hint = error?.hint ?? "Go on with `larder storage resume`, or migrate back; everything is readable meanwhile.";
  if (state === "cancelled")
    return { error: null, hint: "Go on with `larder storage resume`, or migrate back; everything is readable meanwhile." };
  return { error: error?.message ?? null, hint };
}
