import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Caps, Policy as PolicyRules } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { useMay } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { formatBytes, formatDuration, formatNumber } from "../../ui/format.ts";
import { Loaded } from "../../ui/loading.tsx";
import { Ago } from "../../ui/time.tsx";
import { PolicyDialog } from "./policy-dialog.tsx";

/** The rules that every version has to pass, in words and numbers. */
export function Policy() {
  const environment = useEnvironment();
  const mayAdminister = useMay("administer");
  const [editing, setEditing] = useState(false);
  const query = useQuery({
    queryKey: ["policy", environment],
    queryFn: ({ signal }) => api.policy.get({ environment }, { signal }),
  });
  return (
    <section className="card" aria-labelledby="policy">
      <div className="card-head">
        <h2 id="policy" className="grow">
          Policy
        </h2>
        {query.data?.updatedAt && (
          <span className="faint">
            {query.data.updatedBy}, <Ago at={query.data.updatedAt} />
          </span>
        )}
        {mayAdminister && (
          <Button small disabled={!query.data} onClick={() => setEditing(true)}>
            Edit
          </Button>
        )}
      </div>
      <Loaded query={query}>{({ policy }) => <Rules policy={policy} />}</Loaded>
      {editing && query.data && <PolicyDialog policy={query.data.policy} onClose={() => setEditing(false)} />}
    </section>
  );
}

const actionTexts = { allow: "allowed", flag: "allowed, and pointed out", refuse: "refused" };

function Rules({ policy: { minReleaseAgeMs, deprecated, installScripts, caps, blocked } }: { policy: PolicyRules }) {
  return (
    <div className="card-body policy">
      <dl className="facts">
        <dt>Youngest release</dt>
        <dd>{minReleaseAgeMs === 0 ? "any age" : ageText(minReleaseAgeMs)}</dd>
        <dt>Deprecated versions</dt>
        <dd>{actionTexts[deprecated]}</dd>
        <dt>Install scripts</dt>
        <dd>{actionTexts[installScripts]}; never run</dd>
        <dt>Blocked</dt>
        <dd>{blocked.length === 0 ? "none" : blocked.map(({ name, range }) => `${name} ${range}`).join(", ")}</dd>
      </dl>
      <table className="caps">
        <caption className="hidden">Caps</caption>
        <thead>
          <tr>
            <th>Cap</th>
            <th className="num">Points out at</th>
            <th className="num">Refuses at</th>
          </tr>
        </thead>
        <tbody>
          {capTexts.map(([name, label, format]) => (
            <tr key={name}>
              <td>{label}</td>
              <td className="num">{caps[name].warn === null ? "–" : format(caps[name].warn)}</td>
              <td className="num">{caps[name].block === null ? "–" : format(caps[name].block)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const capTexts: [keyof Caps, string, (value: number) => string][] = [
  ["packedBytes", "Packed", formatBytes],
  ["unpackedBytes", "Unpacked", formatBytes],
  ["files", "Files", formatNumber],
  ["nodes", "Packages in all", formatNumber],
];

const day = 86_400_000;
const ageText = (ms: number): string =>
  ms % day === 0 ? `${ms / day} ${ms === day ? "day" : "days"} old` : `${formatDuration(ms)} old`;
