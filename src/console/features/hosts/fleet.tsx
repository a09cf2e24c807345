import { Dot } from "../../ui/badge.tsx";
import { formatNumber } from "../../ui/format.ts";
import { type Condition, conditions, conditionTexts, conditionTones } from "./condition.ts";
import type { HostRow } from "./host-table.tsx";

interface FleetProps {
  rows: HostRow[];
  wanted: number;
  only: Condition | undefined;
  onOnly(condition: Condition | undefined): void;
  onOpen(id: string): void;
}

/** The whole fleet at one glance: how many are how, a square for each, and which generations they serve. */
export function Fleet({ rows, wanted, only, onOnly, onOpen }: FleetProps) {
  const counts = conditions.map((condition) => ({ condition, n: rows.filter((row) => row.condition === condition).length }));
  return (
    <section className="card fleet" aria-label="Fleet">
      <div className="fleet-counts">
        {counts
          .filter(({ condition, n }) => n > 0 || condition === "current")
          .map(({ condition, n }) => (
            <button
              type="button"
              key={condition}
              className="fleet-count"
              aria-pressed={only === condition}
              onClick={() => onOnly(only === condition ? undefined : condition)}
            >
              <strong>{formatNumber(n)}</strong>
              <span className="row">
                <Dot tone={conditionTones[condition]} />
                {conditionTexts[condition]}
              </span>
            </button>
          ))}
      </div>
      {rows.length > fewest && <Squares rows={rows} only={only} onOpen={onOpen} />}
      <Generations rows={rows} wanted={wanted} />
    </section>
  );
}

/** Fewer than this are better read in the list. */
const fewest = 12;

/** The worst first. A pointer's shortcut: the list below has the same hosts for the keyboard. */
function Squares({ rows, only, onOpen }: Pick<FleetProps, "rows" | "only" | "onOpen">) {
  const sorted = rows.toSorted((a, b) => conditions.indexOf(a.condition) - conditions.indexOf(b.condition));
  return (
    <div
      className="squares"
      aria-hidden="true"
      onClick={({ target }) => {
        const id = (target as HTMLElement).dataset.host;
        if (id) onOpen(id);
      }}
    >
      {sorted.map(({ host, condition }) => (
        <i
          key={host.id}
          data-host={host.id}
          className={`${conditionTones[condition]} ${only && only !== condition ? "dim" : ""}`}
          title={`${host.id}: ${conditionTexts[condition].toLowerCase()}, generation ${host.generation}`}
        />
      ))}
    </div>
  );
}

function Generations({ rows, wanted }: Pick<FleetProps, "rows" | "wanted">) {
  const byNumber = new Map<number, number>();
  for (const { host } of rows) byNumber.set(host.generation, (byNumber.get(host.generation) ?? 0) + 1);
  if (byNumber.size < 2) return null;
  const sorted = [...byNumber].sort(([a], [b]) => b - a);
  return (
    <p className="soft fleet-generations">
      {sorted.slice(0, listed).map(([number, n]) => (
        <span key={number}>
          <strong>{formatNumber(n)}</strong> on {number === 0 ? "none yet" : `generation ${number}`}
          {number === wanted && " (wanted)"}
        </span>
      ))}
      {sorted.length > listed && <span>and {sorted.length - listed} older ones</span>}
    </p>
  );
}

const listed = 5;
