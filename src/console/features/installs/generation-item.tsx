import type { Generation } from "../../../contract/index.ts";
import { useMay } from "../../api/session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { count, shortHash } from "../../ui/format.ts";
import { Icon } from "../../ui/icon.tsx";
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
}

export function GenerationItem({ generation, before, hosts, open, onToggle, onRollback }: GenerationItemProps) {
  const mayOperate = useMay("operate");
  const { number, current, available, reason, rollbackOf, createdBy, createdAt, packages, nodes, lockfileHash } = generation;
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
            {reason === "rollback" ? `Rollback to ${rollbackOf ?? "an earlier one"}` : reason === "install" ? "Install" : reason}
            {current && <Badge tone="good">current</Badge>}
            {hosts > 0 && <Badge>{count(hosts, "host")}</Badge>}
            {!available && <Badge>collected</Badge>}
          </p>
          <p className="soft">
            {count(packages.length, "package")} allowed, {nodes} in all · {createdBy} · <Ago at={createdAt} />
          </p>
        </div>
        <code className="faint wide-hash" title={lockfileHash}>
          {shortHash(lockfileHash)}
        </code>
        {mayOperate && !current && available && (
          <Button small icon="undo" onClick={onRollback} aria-label={`Roll back to generation ${number}`}>
            <span className="wide-words">Roll back</span>
          </Button>
        )}
      </div>
      {open && <Diff from={before?.number} to={number} />}
    </li>
  );
}
