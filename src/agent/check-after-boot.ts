import { isSettled, markSettled, type StoreWriter, unsettle, verifyStore } from "../host/index.ts";
import type { Logger } from "../lib/index.ts";
import type { ReconcileMemory } from "./reconcile-memory.ts";

/**
 * Once after each start of the machine, and whenever somebody found damage, everything is compared with what was recorded: power that was lost may
 * have taken what nothing had forced to disk. What is damaged is then made anew by this pass; what is whole is trusted until the next start.
 */
export async function checkAfterBoot(
  { store }: StoreWriter,
  { memory, logger, signal }: { memory: ReconcileMemory; logger: Logger; signal: AbortSignal },
): Promise<void> {
  if (await isSettled(store.layout)) return;
  memory.tree = memory.etag = undefined;
  const { damaged, problems } = await verifyStore(store, { signal, unreached: true });
  memory.damaged = { packages: new Set(damaged.packages), trees: new Set(damaged.trees) };
  if (problems.length === 0) await markSettled(store.layout);
  else logger.warn({ problems: problems.slice(0, 20), count: problems.length }, "the store is damaged, mending it");
}

/** Looks at everything in the background, at a pace that nobody notices. True: something is damaged, and the next pass will look for itself. */
export async function scrub(
  { store }: StoreWriter,
  { bytesPerSecond, logger, signal }: { bytesPerSecond: number; logger: Logger; signal: AbortSignal },
): Promise<boolean> {
  const { problems, packages, bytes } = await verifyStore(store, { signal, bytesPerSecond });
  logger.info({ packages, bytes, problems: problems.length }, "scrubbed the store");
  // A rebuild may have been met half way; the pass, which has the store to itself, decides.
  if (problems.length > 0) await unsettle(store.layout);
  return problems.length > 0;
}
