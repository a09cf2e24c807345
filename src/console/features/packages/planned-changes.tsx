import { useState } from "react";
import type { Plan } from "../../../contract/index.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { formatBytes } from "../../ui/format.ts";

const tones: Record<Plan["changes"][number]["change"], Tone> = { added: "good", removed: "bad", changed: "info" };
const firstShown = 8;

/** Package by package; those that were asked for come first. */
export function PlannedChanges({ plan }: { plan: Plan }) {
  const [all, setAll] = useState(false);
  const changes = plan.changes.toSorted((a, b) => Number(a.transitive) - Number(b.transitive) || a.name.localeCompare(b.name));
  const shown = all ? changes : changes.slice(0, firstShown);
  if (changes.length === 0) return null;
  return (
    <div>
      <ul className="spec-list">
        {shown.map(({ name, change, from, to, transitive, newTransitive, addedBytes }) => (
          <li key={name}>
            <Badge tone={tones[change]}>{change}</Badge>
            <span className="grow planned-name">
              <span className={transitive ? "truncate" : "truncate strong"} title={name}>
                {name}
              </span>
              <span className="faint">{newTransitive ? "comes along, new here" : transitive ? "comes along" : ""}</span>
            </span>
            <span className="mono soft planned-versions">{[from.join(", "), to.join(", ")].filter(Boolean).join(" → ")}</span>
            {addedBytes > 0 && <span className="num faint">{formatBytes(addedBytes)}</span>}
          </li>
        ))}
      </ul>
      {shown.length < changes.length && (
        <Button look="quiet" small onClick={() => setAll(true)}>
          Show all {changes.length}
        </Button>
      )}
    </div>
  );
}
