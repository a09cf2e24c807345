import { formatPlatform, type Host } from "../../../contract/index.ts";
import { Dot } from "../../ui/badge.tsx";
import { type Column, type More, Table } from "../../ui/table.tsx";
import { Ago } from "../../ui/time.tsx";
import { type Condition, conditions, conditionTexts, conditionTones } from "./condition.ts";

export interface HostRow {
  host: Host;
  condition: Condition;
}

interface HostTableProps {
  rows: HostRow[];
  more: More | undefined;
  wanted: number;
  onOpen(id: string): void;
}

export const HostTable = ({ rows, more, wanted, onOpen }: HostTableProps) => (
  <Table label="Hosts" rows={rows} more={more} keyOf={({ host }) => host.id} columns={columnsOf(wanted, onOpen)} />
);

const columnsOf = (wanted: number, onOpen: (id: string) => void): Column<HostRow>[] => [
  {
    key: "id",
    title: "Host",
    width: "minmax(140px, 2fr)",
    narrow: "minmax(0, 1fr)",
    sortBy: ({ host }) => host.id,
    cell: ({ host }) => (
      <button type="button" className="link host-id truncate" title={host.id} onClick={() => onOpen(host.id)}>
        {host.id}
      </button>
    ),
  },
  {
    key: "condition",
    title: "State",
    width: "110px",
    narrow: "92px",
    sortBy: ({ condition }) => conditions.indexOf(condition),
    cell: ({ condition }) => (
      <span className="row">
        <Dot tone={conditionTones[condition]} moving={condition === "syncing"} />
        {conditionTexts[condition]}
      </span>
    ),
  },
  {
    key: "what",
    title: "What it says",
    width: "minmax(120px, 3fr)",
    cell: ({ host }) => <div className="truncate soft">{saying(host)}</div>,
  },
  {
    key: "generation",
    title: "Generation",
    width: "110px",
    narrow: "76px",
    end: true,
    sortBy: ({ host }) => host.generation,
    cell: ({ host }) => <Generation served={host.generation} wanted={wanted} />,
  },
  {
    key: "platform",
    title: "Platform",
    width: "120px",
    cell: ({ host }) => <span className="soft">{host.platform ? formatPlatform(host.platform) : "–"}</span>,
  },
  {
    key: "seen",
    title: "Last seen",
    width: "84px",
    end: true,
    sortBy: ({ host }) => -Date.parse(host.lastSeenAt ?? "1970-01-01"),
    cell: ({ host }) => <span className="soft">{host.lastSeenAt ? <Ago at={host.lastSeenAt} /> : "never"}</span>,
  },
];

const Generation = ({ served, wanted }: { served: number; wanted: number }) => (
  <span>
    {served === 0 ? "–" : served}
    {served < wanted && <span className="lag"> −{wanted - served}</span>}
  </span>
);

/** The error, or what it is doing. */
function saying({ error, reason, progress, runsInFlight }: Host): string {
  if (error) return error.message;
  if (progress)
    return [progress.phase, progress.total && `${progress.done} of ${progress.total}`, progress.subject]
      .filter(Boolean)
      .join(" · ");
  if (reason) return reason;
  return runsInFlight > 0 ? `${runsInFlight} ${runsInFlight === 1 ? "run" : "runs"} under way` : "";
}
