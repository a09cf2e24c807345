import { type EnvironmentName, formatPlatform, LarderError, type StockResult } from "../../contract/index.ts";
import { currentGeneration, type Db, listHostsInError, readEffectivePolicy } from "../../db/index.ts";
import { failpoint } from "../../lib/index.ts";
import { assertNotRevoked } from "../assert-not-revoked.ts";
import { fetchBlobs } from "../fetch/fetch-blobs.ts";
import { inScratch } from "../in-scratch.ts";
import { wantedBlobs } from "../install/caps.ts";
import type { InstallOptions } from "../install/install-options.ts";
import { notice } from "../notices.ts";
import type { OperationHandler, OperationRun } from "../operation-handler.ts";
import { readWants } from "./read-wants.ts";

export type StockOptions = Pick<InstallOptions, "db" | "stores" | "registry" | "cache" | "scratchDirectory" | "platforms">;

/**
 * Fetches what the current generation needs on platforms that nobody fetched it for, and what was lost; checked against its manifest, as installs do. It resolves
 * nothing and makes no generation: what an admin has changed in the allowlist stays unreleased. Throws `E_POLICY` for a generation with a version that was revoked since.
 */
export function createStockHandler(options: StockOptions): OperationHandler<"stock"> {
  const { db, scratchDirectory } = options;
  return async (run) => {
    const startedAt = performance.now();
    const { id, environment } = run.operation;
    const result = await inScratch({ scratchDirectory, id }, (scratch) => stockUntilCurrent(options, run, scratch));
    await wakeWaiting(db, environment);
    return { ...result, durationMs: Math.round(performance.now() - startedAt) };
  };
}

type Stocked = Omit<StockResult, "durationMs">;

/** Another generation may have come meanwhile. */
async function stockUntilCurrent(options: StockOptions, run: OperationRun<"stock">, scratch: string): Promise<Stocked> {
  const { environment } = run.operation;
  const sum = { fetched: 0, fetchedBytes: 0 };
  for (;;) {
    const { fetched, fetchedBytes, ...stocked } = await stockOnce(options, run, scratch);
    sum.fetched += fetched;
    sum.fetchedBytes += fetchedBytes;
    const current = await currentGeneration(options.db.query, environment);
    if (current?.lockfileHash === stocked.lockfileHash) return { ...stocked, ...sum };
  }
}

async function stockOnce(options: StockOptions, run: OperationRun<"stock">, scratch: string): Promise<Stocked> {
  const { operation, epoch, signal, report } = run;
  const { db, platforms } = options;
  const { environment } = operation;
  const wants = await readWants(db.query, { environment, platforms });
  if (wants === undefined) {
    throw new LarderError("E_CONFLICT", `Environment ${environment} has no generation to stock hosts with.`, {
      hint: "Install first: larder install",
    });
  }
  await assertNotRevoked(db.query, wants.manifest);
  const { policy } = await readEffectivePolicy(db.query, environment);
  await failpoint("stock:planned");
  const wanted = wantedBlobs(wants.manifest, wants.platforms);
  const limitBytes = policy.caps.packedBytes.block ?? undefined;
  const { entries: _, warnings, ...fetched } = await fetchBlobs(options, { wanted, limitBytes, scratch, epoch, signal, report });
  await failpoint("stock:fetched");
  const { number, lockfileHash } = wants.generation;
  const told = warnings.length > 0 ? { warnings } : {};
  return { generation: number, lockfileHash, platforms: wants.platforms.map(formatPlatform).sort(), ...fetched, ...told };
}

/** Hints: whoever misses it polls. */
async function wakeWaiting(db: Db, environment: EnvironmentName): Promise<void> {
  for (const id of await listHostsInError(db.query, environment))
    await db.notify(db.query, notice({ type: "reconcile", hostId: id }));
}
