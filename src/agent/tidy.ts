import type { LockfileHash } from "../contract/for-hosts.ts";
import { isSettled, type PackageKey, sweepStore } from "../host/index.ts";
import { pruneManifests } from "./manifest-cache.ts";
import type { Pass } from "./pass.ts";
import { repairStore } from "./repair-store.ts";

/** Runs die and graces pass without a flip too. */
const sweepEveryMs = 600_000;

export async function tidyNowAndThen(pass: Pass): Promise<void> {
  const { memory } = pass;
  memory.sweptAt ??= performance.now();
  if (memory.tree && performance.now() - memory.sweptAt >= sweepEveryMs) await tidy(pass, memory.tree.lockfileHash);
}

/** The flip is done: a disk that refuses to be tidied does not undo it. */
export async function tidy({ writer, stopwatch, logger, memory, sweep }: Pass, lockfileHash: LockfileHash): Promise<void> {
  try {
    memory.sweptAt = performance.now();
    await stopwatch.measure("sweep", async () => {
      const { overQuotaBytes } = await sweepStore(writer, sweep);
      if (overQuotaBytes > 0) logger.warn({ overQuotaBytes }, "what this host needs takes more than its quota");
      await pruneManifests(writer.store, lockfileHash);
    });
  } catch (error) {
    logger.warn({ err: error }, "could not sweep the store");
  }
}

/** The desired tree is whole; older ones may still be damaged, and are mended or stay so until the next pass. */
export async function mendRest({ writer, controlPlane, memory, signal, logger }: Pass): Promise<void> {
  if (await isSettled(writer.store.layout)) return;
  try {
    const damaged = {
      packages: [...memory.damaged.packages] as PackageKey[],
      trees: [...memory.damaged.trees] as LockfileHash[],
    };
    await repairStore(writer, { controlPlane, damaged, signal });
    memory.damaged = { packages: new Set(), trees: new Set() };
  } catch (error) {
    if (signal.aborted) throw error;
    logger.warn({ err: error }, "could not mend an older tree");
  }
}
