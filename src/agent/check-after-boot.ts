import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { currentTree, type StoreWriter, verifyStore } from "../host/index.ts";
import { type Logger, undefinedOn, writeFileAtomic } from "../lib/index.ts";
import type { ReconcileMemory } from "./reconcile-once.ts";

const bootIdPath = "/proc/sys/kernel/random/boot_id";

/**
 * File contents are not forced to disk when a package is unpacked, so power that was lost may have taken some: once after each start of the machine
 * everything is compared with what was recorded, and what is damaged is made anew by the next reconcile.
 */
export async function checkAfterBoot(
  { store }: StoreWriter,
  { memory, logger, signal }: { memory: ReconcileMemory; logger: Logger; signal: AbortSignal },
): Promise<void> {
  const bootId = (await readFile(bootIdPath, "utf8").catch(() => "")).trim();
  const path = join(store.layout.state, "verified-boot");
  if (bootId === "" || (await undefinedOn(["ENOENT"], readFile(path, "utf8"))) === bootId) return;
  if (await currentTree(store)) {
    const { damaged, problems } = await verifyStore(store, { signal });
    memory.damaged = { packages: new Set(damaged.packages), trees: new Set(damaged.trees) };
    if (problems.length > 0) {
      logger.warn({ problems: problems.slice(0, 20), count: problems.length }, "the store was damaged, rebuilding");
      return;
    }
  }
  await writeFileAtomic(path, bootId);
}
