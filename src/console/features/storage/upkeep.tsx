import type { Operation, StorageStatus } from "../../../contract/index.ts";
import { useOperations } from "../../api/queries.ts";
import { count, formatBytes } from "../../ui/format.ts";
import { ErrorNotice } from "../../ui/notice.tsx";
import { isUnderWay, OperationProgress } from "../../ui/operation-progress.tsx";
import { Ago } from "../../ui/time.tsx";

/** What collection and verification did last, or do now. */
export function Upkeep({ status }: { status: StorageStatus }) {
  const operations = useOperations().data ?? [];
  const { unreferenced, collection } = status;
  return (
    <div className="upkeep">
      <section className="card" aria-labelledby="collection">
        <div className="card-head">
          <h2 id="collection">Collection</h2>
        </div>
        <div className="card-body stack">
          <p>
            {unreferenced.blobs === 0
              ? "Every tarball belongs to a generation that is kept."
              : `${count(unreferenced.blobs, "tarball")} that no kept generation needs, ${formatBytes(unreferenced.bytes)}.`}
          </p>
          <Latest operation={operations.find(({ kind }) => kind === "collect")}>
            {collection.endedAt ? (
              <>
                <Ago at={collection.endedAt} />: {formatBytes(collection.reclaimedBytes ?? 0)} reclaimed,{" "}
                {formatBytes(collection.reclaimedTotalBytes)} by all so far.
              </>
            ) : (
              "Never run yet."
            )}
          </Latest>
        </div>
      </section>
      <Verification operation={operations.find(({ kind }) => kind === "audit")} />
    </div>
  );
}

function Verification({ operation }: { operation: Operation | undefined }) {
  const result = operation?.kind === "audit" ? operation.result : undefined;
  return (
    <section className="card" aria-labelledby="verification">
      <div className="card-head">
        <h2 id="verification">Verification</h2>
      </div>
      <div className="card-body stack">
        <p>Reads every tarball, hashes it, and mends what is broken.</p>
        <Latest operation={operation}>
          {operation?.endedAt && result ? (
            <>
              <Ago at={operation.endedAt} />: {count(result.checked, "tarball")}, {formatBytes(result.checkedBytes)};{" "}
              {result.repaired} repaired, {result.broken} broken.
            </>
          ) : (
            "Never run yet."
          )}
        </Latest>
      </div>
    </section>
  );
}

function Latest({ operation, children }: { operation: Operation | undefined; children: React.ReactNode }) {
  if (operation && isUnderWay(operation)) return <OperationProgress operation={operation} />;
  return operation?.error ? <ErrorNotice error={operation.error} /> : <p className="soft">{children}</p>;
}
