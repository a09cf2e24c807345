import type { HostCounts } from "../../../contract/index.ts";
import { hostsPerPage, useHostPages } from "../../api/host-queries.ts";
import { Dot } from "../../ui/badge.tsx";
import { formatNumber } from "../../ui/format.ts";
import { type Condition, conditionOf, conditions, conditionTexts, conditionTones, countsOf } from "./condition.ts";

interface FleetProps {
  counts: HostCounts;
  wanted: number;
  only: Condition | undefined;
  onOnly(condition: Condition | undefined): void;
  onOpen(id: string): void;
}

/** The whole fleet at one glance: how many are how, a square for each or a share of a bar, and which generations they serve. */
export function Fleet({ counts, wanted, only, onOnly, onOpen }: FleetProps) {
  const byCondition = countsOf(counts);
  return (
    <section className="card fleet" aria-label="Fleet">
      <div className="fleet-counts">
        {byCondition
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
      {counts.total > hostsPerPage ? (
        <Shares counts={byCondition} only={only} />
      ) : (
        counts.total > fewest && <Squares only={only} onOpen={onOpen} />
      )}
      <Generations counts={counts} wanted={wanted} />
    </section>
  );
}

/** Fewer than this are better read in the list. */
const fewest = 12;

/** The worst first. A pointer's shortcut: the list below has the same hosts for the keyboard. */
function Squares({ only, onOpen }: Pick<FleetProps, "only" | "onOpen">) {
  const hosts = useHostPages().data?.pages.flatMap(({ items }) => items) ?? [];
  const rows = hosts.map((host) => ({ host, condition: conditionOf(host) }));
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

/** The numbers above, as widths: what is rare can still be seen. */
const Shares = ({ counts, only }: { counts: ReturnType<typeof countsOf>; only: Condition | undefined }) => (
  <div className="shares" aria-hidden="true">
    {counts
      .filter(({ n }) => n > 0)
      .map(({ condition, n }) => (
        <i
          key={condition}
          className={`${conditionTones[condition]} ${only && only !== condition ? "dim" : ""}`}
          style={{ flexGrow: n }}
          title={`${formatNumber(n)} ${conditionTexts[condition].toLowerCase()}`}
        />
      ))}
  </div>
);

function Generations({ counts, wanted }: Pick<FleetProps, "counts" | "wanted">) {
  const byNumber = new Map<number, number>();
  for (const { generation, hosts } of counts.groups) byNumber.set(generation, (byNumber.get(generation) ?? 0) + hosts);
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
