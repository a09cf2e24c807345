import { useQuery } from "@tanstack/react-query";
import type { AllowlistChanges, Finding, Plan } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { usePackages } from "../../api/queries.ts";
import { count, formatBytes } from "../../ui/format.ts";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { PlannedChanges } from "./planned-changes.tsx";

/** What an install would do after these edits, asked of the control plane; nothing is changed. */
export function usePlan(changes: Partial<AllowlistChanges>) {
  const environment = useEnvironment();
  return useQuery({
    queryKey: ["plan", environment, changes],
    queryFn: ({ signal }) => api.plans.create({ environment, changes }, { signal }),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
}

export function PlanPreview({ plan: query }: { plan: ReturnType<typeof usePlan> }) {
  const alsoDue = usePackages().data?.installDue === true;
  if (query.isPending) return <p className="soft plan-wait">Resolving what this would bring …</p>;
  if (query.isError) return <ErrorNotice error={query.error} />;
  const plan = query.data;
  return (
    <div className="stack" aria-live="polite">
      <Verdict plan={plan} />
      {plan.refusals.length > 0 && <Findings findings={plan.refusals} />}
      {plan.caps.map((finding) => (
        <Notice key={finding.cap} tone={finding.severity === "block" ? "bad" : "warn"}>
          <p>{finding.message}</p>
          {finding.hint && <p className="soft">{finding.hint}</p>}
        </Notice>
      ))}
      {plan.error && plan.refusals.length === 0 && <ErrorNotice error={plan.error} />}
      {plan.flags.length > 0 && <Findings findings={plan.flags} tone="warn" />}
      {plan.heldBack.map(({ name, chosen, finding }) => (
        <Notice key={name} tone="info">
          <p>
            {name} stays at {chosen}: {finding.message}
          </p>
        </Notice>
      ))}
      <PlannedChanges plan={plan} />
      {alsoDue && plan.changed && <p className="faint">With what waits on the allowlist already: an install takes all of it.</p>}
    </div>
  );
}

function Verdict({ plan: { ok, changed, changes, fetch, hosts } }: { plan: Plan }) {
  if (!ok) return <p className="strong">An install would be refused.</p>;
  if (!changed) return <p>Nothing would change on hosts.</p>;
  const most = Math.max(0, ...hosts.map(({ packedBytes }) => packedBytes));
  const about = fetch.packedIsEstimate ? "about " : "";
  return (
    <p>
      <span className="strong">{count(changes.length, "package changes", "packages change")}.</span>{" "}
      <span className="soft">
        {fetch.tarballs === 0
          ? "Nothing to fetch from a registry"
          : `${count(fetch.tarballs, "tarball")} to fetch, ${about}${formatBytes(fetch.packedBytes)}`}
        {hosts.length > 0 && `; ${count(hosts.length, "host")} would pull at most ${about}${formatBytes(most)} each`}.
      </span>
    </p>
  );
}

function Findings({ findings, tone = "bad" }: { findings: Finding[]; tone?: "bad" | "warn" }) {
  return (
    <Notice tone={tone}>
      <ul className="stack tight">
        {findings.map(({ name, version, rule, message, hint, path = [] }) => (
          <li key={`${name}@${version} ${rule}`}>
            <p>{message}</p>
            {path.length > 1 && <p className="faint">{path.join(" → ")}</p>}
            {hint && <p className="soft">{hint}</p>}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
