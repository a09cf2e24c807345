import { installPhases, type Operation, type Progress } from "../../contract/index.ts";
import { Bar } from "./bar.tsx";
import { formatBytes, formatNumber } from "./format.ts";
import { Icon } from "./icon.tsx";
import "./operation-progress.css";

const names: Record<Operation["kind"], string> = {
  install: "Install",
  stock: "Stocking",
  migrate: "Migration",
  collect: "Collection",
  audit: "Verification",
};
export const operationName = ({ kind }: Pick<Operation, "kind">): string => names[kind];

export const isUnderWay = ({ state }: Pick<Operation, "state">): boolean => state === "queued" || state === "running";

/** Where a long job is, by phase. */
export function OperationProgress({ operation }: { operation: Operation }) {
  const { progress, kind, state } = operation;
  return (
    <div className="stack">
      {kind === "install" && <Phases current={progress?.phase} queued={state === "queued"} />}
      <div className="stack tight">
        <Bar
          label={`${operationName(operation)} progress`}
          done={progress?.doneBytes ?? progress?.done ?? 0}
          total={progress?.totalBytes ?? progress?.total}
        />
        <p className="spread soft">
          <span className="truncate">
            {state === "queued" ? "Waits for its turn" : (progress?.subject ?? progress?.phase ?? "Starts")}
          </span>
          <span className="num">{progress && describeProgress(progress)}</span>
        </p>
      </div>
    </div>
  );
}

function Phases({ current, queued }: { current: string | undefined; queued: boolean }) {
  const at = queued ? -1 : (installPhases as readonly string[]).indexOf(current ?? "");
  return (
    <ol className="phases" aria-label="Phases">
      {installPhases.map((phase, index) => (
        <li
          key={phase}
          className={index < at ? "past" : index === at ? "present" : ""}
          aria-current={index === at ? "step" : undefined}
        >
          {index < at ? <Icon name="check" /> : <span className="phase-dot" />}
          {phase}
        </li>
      ))}
    </ol>
  );
}

export function describeProgress({ done, total, doneBytes, totalBytes, bytesPerSecond }: Progress): string {
  const units = total === undefined ? (done > 0 ? formatNumber(done) : "") : `${formatNumber(done)} of ${formatNumber(total)}`;
  const bytes =
    doneBytes === undefined
      ? ""
      : totalBytes === undefined
        ? formatBytes(doneBytes)
        : `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`;
  const rate = bytesPerSecond ? `${formatBytes(bytesPerSecond)}/s` : "";
  return [units, bytes, rate].filter(Boolean).join(" · ");
}
