import type { Operation } from "../../../contract/index.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { count, formatBytes, formatDuration } from "../../ui/format.ts";
import { operationName } from "../../ui/operation-progress.tsx";
import { Ago } from "../../ui/time.tsx";

const tones: Record<Operation["state"], Tone> = {
  queued: "info",
  running: "info",
  succeeded: "good",
  failed: "bad",
  cancelled: "none",
  interrupted: "warn",
  fenced: "warn",
};
const shown = 12;

/** What was asked for lately, and what came of it. */
export function OperationList({ operations }: { operations: Operation[] }) {
  return (
    <section className="card" aria-labelledby="operations">
      <div className="card-head">
        <h2 id="operations">Recent operations</h2>
      </div>
      <ul>
        {operations.slice(0, shown).map((operation) => (
          <li key={operation.id} className="operation">
            <span className="operation-name">
              {operationName(operation)} <Badge tone={tones[operation.state]}>{operation.state}</Badge>
            </span>
            <span className="grow soft break">{outcomeOf(operation)}</span>
            <span className="faint operation-when">
              {operation.requestedBy} · {durationOf(operation)}
              <Ago at={operation.endedAt ?? operation.createdAt} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const durationOf = ({ startedAt, endedAt }: Operation): string =>
  startedAt && endedAt ? `${formatDuration(Date.parse(endedAt) - Date.parse(startedAt))} · ` : "";

function outcomeOf(operation: Operation): string {
  if (operation.error) return operation.error.message;
  switch (operation.kind) {
    case "install": {
      const { result } = operation;
      if (result === undefined) return "";
      const fetched = result.fetched > 0 ? `, ${formatBytes(result.fetchedBytes)} fetched` : ", nothing to fetch";
      return result.changed
        ? `Generation ${result.generation}: ${count(result.nodes, "package")}${fetched}`
        : "Nothing had changed";
    }
    case "stock":
      return operation.result
        ? `${count(operation.result.fetched, "blob")} fetched for ${operation.result.platforms.join(", ")}`
        : "";
    case "migrate":
      return operation.result
        ? `${count(operation.result.blobs, "blob")} on ${operation.result.target}`
        : `To ${operation.input.target}`;
    case "collect":
      return operation.result ? `${formatBytes(operation.result.reclaimedBytes)} reclaimed` : "";
    default:
      return operation.result
        ? `${count(operation.result.checked, "blob")} checked, ${operation.result.repaired} repaired, ${operation.result.broken} broken`
        : "";
  }
}
