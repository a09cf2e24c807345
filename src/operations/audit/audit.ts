import type { BlobStores } from "../../blobs/index.ts";
import { type AuditResult, type BlobTrouble, hasCode, LarderError, troublesListed } from "../../contract/index.ts";
import {
  assertEpoch,
  type BlobEntry,
  countUnverifiedBlobs,
  type Db,
  listUnverifiedBlobs,
  markBlobVerified,
  quarantineBlob,
  releaseBlob,
} from "../../db/index.ts";
import { failpoint, type Logger, mapConcurrent } from "../../lib/index.ts";
import { namePackages } from "../name-packages.ts";
import type { OperationHandler, OperationRun } from "../operation-handler.ts";
import { createRateLimit, createRateMeter, type RateLimit } from "../rate-limit.ts";
import { readCopy } from "../read-copy.ts";
import { type RegistrySource, repairBlob } from "./repair-blob.ts";

export interface AuditOptions {
  db: Db;
  stores: BlobStores;
  registry: RegistrySource;
  logger: Logger;
}

const pageSize = 1000;

interface Audit extends AuditOptions {
  run: OperationRun<"audit">;
  limit: RateLimit;
}

interface Finding extends Omit<BlobTrouble, "packages"> {
  repaired: boolean;
}

/**
 * Reads and hashes every blob where the index says it is; mends what is broken from another store or the registry, and lists the rest. Each blob that was found
 * right is marked so, and the work left is what is not: an audit that was killed goes on.
 */
export function createAuditHandler(options: AuditOptions): OperationHandler<"audit"> {
  return async (run) => {
    const startedAt = performance.now();
    const { db } = options;
    const { operation, report, signal } = run;
    const { since, parallel, bytesPerSecond } = operation.input;
    const total = await countUnverifiedBlobs(db.query, since);
    const audit: Audit = { ...options, run, limit: createRateLimit(bytesPerSecond) };
    const meter = createRateMeter();
    const findings: Finding[] = [];
    const checked = { blobs: 0, bytes: 0 };
    const tell = () =>
      report({
        phase: "verify",
        done: checked.blobs,
        total: Math.max(checked.blobs, total.blobs),
        doneBytes: checked.bytes,
        totalBytes: Math.max(checked.bytes, total.bytes),
        bytesPerSecond: meter.read(),
      });
    tell();
    for (let page = await listUnverifiedBlobs(db.query, since, { limit: pageSize }); page.length > 0; ) {
      await mapConcurrent(page, { limit: parallel, signal }, async (entry) => {
        const finding = await auditBlob(entry, audit);
        if (finding) findings.push(finding);
        checked.blobs += 1;
        checked.bytes += entry.sizeBytes;
        meter.add(entry.sizeBytes);
        tell();
        await failpoint("audit:after-blob");
      });
      page = await listUnverifiedBlobs(db.query, since, { after: page.at(-1)?.key, limit: pageSize });
    }
    const broken = findings.filter(({ repaired }) => !repaired).length;
    const listed = findings.toSorted((a, b) => Number(a.repaired) - Number(b.repaired)).slice(0, troublesListed);
    return {
      checked: checked.blobs,
      checkedBytes: checked.bytes,
      repaired: findings.length - broken,
      broken,
      troubles: await namePackages(db.query, listed),
      durationMs: Math.round(performance.now() - startedAt),
    } satisfies AuditResult;
  };
}

async function auditBlob(entry: BlobEntry, audit: Audit): Promise<Finding | undefined> {
  const { db, stores, run, logger } = audit;
  const { key, store } = entry;
  const { epoch, signal } = run;
  const copy = await stores.open(store);
  const state = await readCopy(copy, key, { limit: audit.limit, signal });
  if (state === "whole") {
    await db.transaction(async (tx) => {
      if (await markBlobVerified(tx, { key, store, epoch })) await releaseBlob(tx, { key, store });
      else await assertEpoch(tx, epoch);
    });
    return undefined;
  }
  const code = state === "absent" ? "E_BLOB_MISSING" : "E_BLOB_CORRUPT";
  await db.transaction(async (tx) => {
    await assertEpoch(tx, epoch);
    await quarantineBlob(tx, { key, store, reason: state === "absent" ? "missing" : "corrupt" });
  });
  logger.error({ blob: key, store, state }, "a stored blob is broken; trying to mend it");
  try {
    const source = await repairBlob(entry, { ...audit, target: copy, signal });
    await db.transaction(async (tx) => {
      if (await markBlobVerified(tx, { key, store, epoch })) await releaseBlob(tx, { key, store });
      else await assertEpoch(tx, epoch);
    });
    return { blob: key, store, code, message: `It was ${state}, and was mended from ${source}.`, repaired: true };
  } catch (error) {
    if (signal.aborted || hasCode(error, "E_FENCED")) throw error;
    return { blob: key, store, code, message: `It is ${state}. ${LarderError.from(error).message}`, repaired: false };
  }
}
