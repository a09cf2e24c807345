import type { BlobStores } from "../../blobs/index.ts";
import {
  type BlobTrouble,
  hasCode,
  LarderError,
  type MigratePlan,
  type MigrateResult,
  troublesListed,
} from "../../contract/index.ts";
import { assertEpoch, type BlobEntry, type Db, listBlobsOutside, setActiveStore } from "../../db/index.ts";
import { failpoint, type Logger, mapConcurrent } from "../../lib/index.ts";
import { namePackages } from "../name-packages.ts";
import type { OperationHandler, OperationRun } from "../operation-handler.ts";
import { createRateLimit, createRateMeter } from "../rate-limit.ts";
import { type MoveOptions, moveBlob } from "./move-blob.ts";
import { readMigrationPlan } from "./plan-migration.ts";
import { probeStore } from "./probe-store.ts";

export interface MigrateOptions {
  db: Db;
  stores: BlobStores;
  logger: Logger;
}

/**
 * All blobs to another store: plan → probe → move, blob by blob → flip the active store. The work left is what the index records elsewhere, so it may be killed and
 * begun again anywhere. A blob that no store has whole is named at the end, and then the active store stays what it was. Everything is readable throughout:
 * a row names a store only after its bytes there were read back.
 */
export function createMigrateHandler(options: MigrateOptions): OperationHandler<"migrate"> {
  return async (run) => {
    const startedAt = performance.now();
    const { db, stores } = options;
    const { signal, epoch } = run;
    const { target: name } = run.operation.input;
    run.report({ phase: "plan", done: 0 });
    const plan = await readMigrationPlan(db.query, name);
    await failpoint("migrate:planned");
    try {
      const tally = createTally(plan, run);
      if (plan.needed) {
        const target = await stores.open(name);
        await probeStore(target, signal);
        await failpoint("migrate:probed");
        await moveAll(options, run, { target, tally });
        await assertAllMoved(options, { plan, tally });
        await failpoint("migrate:moved");
        await flipActiveStore(db, { target: name, epoch });
        await failpoint("migrate:flipped");
      }
      const { copied, copiedBytes, alreadyThere } = tally;
      const { blobs, bytes, active: previous } = plan;
      return {
        target: name,
        previous,
        copied,
        copiedBytes,
        alreadyThere,
        blobs,
        bytes,
        durationMs: Math.round(performance.now() - startedAt),
      };
    } catch (error) {
      throw signal.aborted ? error : paused(error, plan);
    }
  };
}

const pageSize = 1000;

interface Tally extends Pick<MigrateResult, "copied" | "copiedBytes" | "alreadyThere"> {
  unreadable: Omit<BlobTrouble, "packages">[];
  moved(entry: BlobEntry, kind: "copied" | "alreadyThere"): void;
}

function createTally({ blobs, bytes, toMove, bytesToMove }: MigratePlan, { report }: OperationRun<"migrate">): Tally {
  const meter = createRateMeter();
  let [done, doneBytes] = [blobs - toMove, bytes - bytesToMove];
  const tell = () => report({ phase: "move", done, total: blobs, doneBytes, totalBytes: bytes, bytesPerSecond: meter.read() });
  const tally: Tally = {
    copied: 0,
    copiedBytes: 0,
    alreadyThere: 0,
    unreadable: [],
    moved({ sizeBytes }, kind) {
      done += 1;
      doneBytes += sizeBytes;
      meter.add(sizeBytes);
      tally[kind] += 1;
      if (kind === "copied") tally.copiedBytes += sizeBytes;
      tell();
    },
  };
  tell();
  return tally;
}

async function moveAll(
  { db, stores, logger }: MigrateOptions,
  { operation, epoch, signal }: OperationRun<"migrate">,
  { target, tally }: { target: MoveOptions["target"]; tally: Tally },
): Promise<void> {
  const { parallel, bytesPerSecond } = operation.input;
  const stop = new AbortController();
  const moving = {
    db,
    stores,
    target,
    epoch,
    limit: createRateLimit(bytesPerSecond),
    signal: AbortSignal.any([signal, stop.signal]),
  };
  for (let page = await listBlobsOutside(db.query, target.name, { limit: pageSize }); page.length > 0; ) {
    await mapConcurrent(page, { limit: parallel, signal }, async (entry) => {
      try {
        const moved = await moveBlob(entry, moving);
        if (moved.kind === "copied" || moved.kind === "alreadyThere") tally.moved(entry, moved.kind);
        if (moved.kind === "unreadable") {
          const { code, message } = moved.error;
          logger.error(
            { blob: entry.key, store: entry.store, err: moved.error },
            "a blob cannot be migrated: no store has it whole",
          );
          tally.unreadable.push({ blob: entry.key, store: entry.store, code, message });
        }
      } catch (error) {
        // One failed for a reason that all have: the others need not find out too.
        stop.abort(error);
        throw error;
      }
    });
    page = await listBlobsOutside(db.query, target.name, { after: page.at(-1)?.key, limit: pageSize });
  }
}

async function assertAllMoved({ db }: MigrateOptions, { plan, tally }: { plan: MigratePlan; tally: Tally }): Promise<void> {
  const { unreadable } = tally;
  const [first] = unreadable;
  if (first === undefined) return;
  const blobs = await namePackages(db.query, unreadable.slice(0, troublesListed));
  const named = blobs.flatMap(({ packages, blob }) => packages[0] ?? `${blob.slice(0, 16)}…`).slice(0, 3);
  const code =
    unreadable.every(({ code }) => code === first.code) && hasCode(LarderError.fromBody(first), "E_BLOB_MISSING")
      ? "E_BLOB_MISSING"
      : "E_BLOB_CORRUPT";
  throw new LarderError(
    code,
    `${unreadable.length} of ${plan.blobs} blobs (${named.join(", ")}${unreadable.length > named.length ? ", …" : ""}) cannot be moved to ${plan.target}: no store has them whole. The rest is there.`,
    {
      hint: "Mend them with `larder storage verify`, which fetches them from the registry again; then `larder storage resume`.",
      details: { failed: unreadable.length, blobs },
    },
  );
}

/** Checks under the epoch that nothing is left behind: an install can have stored nothing since, for they take turns. */
async function flipActiveStore(db: Db, { target, epoch }: { target: string; epoch: number }): Promise<void> {
  await db.transaction(async (tx) => {
    await assertEpoch(tx, epoch);
    const [left] = await listBlobsOutside(tx, target, { limit: 1 });
    if (left)
      throw new LarderError("E_CONFLICT", `Blob ${left.key} appeared in ${left.store} during the migration.`, {
        retryable: true,
      });
    await setActiveStore(tx, target);
  });
}

/** The same error, and that nothing is lost. */
function paused(thrown: unknown, { active, target }: MigratePlan): unknown {
  if (!(thrown instanceof LarderError) || hasCode(thrown, "E_FENCED", "E_BLOB_MISSING", "E_BLOB_CORRUPT")) return thrown;
  const { code, message, hint, details, retryable } = thrown;
  return new LarderError(code, `The migration to ${target} is paused. ${message}`, {
    hint: `${hint ? `${hint} ` : ""}Then go on with \`larder storage resume\`. Everything is readable meanwhile; new blobs go to ${active}.`,
    details,
    retryable,
    cause: thrown,
  });
}
