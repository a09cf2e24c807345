import type { Generation } from "../../../contract/index.ts";
import { useMay } from "../../api/session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { count, formatBytes, shortHash } from "../../ui/format.ts";
import { Icon } from "../../ui/icon.tsx";
import { Menu } from "../../ui/menu.tsx";
import { Ago } from "../../ui/time.tsx";
import { Diff } from "./diff.tsx";

interface GenerationItemProps {
  generation: Generation;
  /** The one before it, to compare with. */
  before: Generation | undefined;
  hosts: number;
  open: boolean;
  onToggle(): void;
  onRollback(): void;
  onPromote(): void;
}

export function GenerationItem({ generation, before, hosts, open, onToggle, onRollback, onPromote }: GenerationItemProps) {
  const mayOperate = useMay("operate");
  const { number, current, available, changes, note, createdBy, createdAt, packages, nodes, lockfileHash } = generation;
  return (
    <li className="generation">
      <div className="generation-line">
        <button type="button" className="generation-open" aria-expanded={open} onClick={onToggle}>
          <Icon name={open ? "down" : "right"} />
          <span className="generation-number">{number}</span>
          <span className="hidden">generation: what changed</span>
        </button>
        <div className="grow generation-facts">
          <p className="row wrap">
            {originOf(generation)}
            {current && <Badge tone="good">current</Badge>}
            {hosts > 0 && <Badge>{count(hosts, "host")}</Badge>}
            {!available && <Badge>collected</Badge>}
          </p>
          <p className="soft">
            {changes ? describeChanges(changes) : `${count(packages.length, "package")} allowed, ${nodes} in all`} · {createdBy} ·{" "}
            <Ago at={createdAt} />
          </p>
          {note && <p className="break">{note}</p>}
        </div>
        <code className="faint wide-hash" title={lockfileHash}>
          {shortHash(lockfileHash)}
        </code>
        {mayOperate && available && (
          <Menu
            trigger={<Button look="quiet" small icon="more" label={`More about generation ${number}`} />}
            entries={[
              { label: "Promote …", icon: "promote", onSelect: onPromote },
              current ? undefined : { label: "Roll back to it …", icon: "undo", onSelect: onRollback },
            ]}
          />
        )}
      </div>
      {open && <Diff from={before?.number} to={number} />}
    </li>
  );
}

function originOf({ reason, rollbackOf, promotedFrom }: Generation): string {
  if (reason === "rollback") return `Rollback to ${rollbackOf ?? "an earlier one"}`;
  if (reason === "promotion")
    return promotedFrom ? `Promoted from ${promotedFrom.environment} ${promotedFrom.number}` : "Promoted";
  return "Install";
}

function describeChanges({ added, removed, changed, addedBytes }: NonNullable<Generation["changes"]>): string {
  const parts = [added && `${added} added`, changed && `${changed} changed`, removed && `${removed} removed`].filter(Boolean);
  if (parts.length === 0) return "Nothing differs from the one before";
  return `${parts.join(", ")}${addedBytes > 0 ? `, ${formatBytes(addedBytes)} new` : ""}`;
}
