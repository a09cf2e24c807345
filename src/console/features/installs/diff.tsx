import { useQuery } from "@tanstack/react-query";
import type { PackageChange } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { count, formatBytes } from "../../ui/format.ts";
import { Loaded } from "../../ui/loading.tsx";

const tones: Record<PackageChange["change"], Tone> = { added: "good", removed: "bad", changed: "info" };

/** What `to` has other than `from`, package by package; those that were asked for come first. */
export function Diff({ from, to }: { from: number | undefined; to: number }) {
  if (from === undefined) return <p className="diff soft">The first one there is: nothing to compare with.</p>;
  return <Compared from={from} to={to} />;
}

function Compared({ from, to }: { from: number; to: number }) {
  const environment = useEnvironment();
  const query = useQuery({
    queryKey: ["diff", environment, from, to],
    queryFn: ({ signal }) => api.generations.diff({ environment, from, to }, { signal }),
    // Two generations never change.
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <div className="diff">
      <Loaded query={query}>
        {({ changes, addedBytes }) => (
          <>
            <p className="soft">
              {changes.length === 0
                ? `The same packages as generation ${from}.`
                : `${count(changes.length, "package differs", "packages differ")} from generation ${from}, ${formatBytes(addedBytes)} new.`}
            </p>
            <Changes changes={changes} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function Changes({ changes }: { changes: PackageChange[] }) {
  const sorted = changes.toSorted((a, b) => Number(a.transitive) - Number(b.transitive) || a.name.localeCompare(b.name));
  return (
    <ul className="changes">
      {sorted.map(({ name, change, from, to, transitive, addedBytes }) => (
        <li key={name}>
          <Badge tone={tones[change]}>{change}</Badge>
          <span className={transitive ? "truncate soft" : "truncate strong"} title={name}>
            {name}
          </span>
          <span className="mono soft break">{[from.join(", "), to.join(", ")].filter(Boolean).join(" → ")}</span>
          <span className="num faint">{addedBytes > 0 && formatBytes(addedBytes)}</span>
        </li>
      ))}
    </ul>
  );
}
