import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorNotice } from "../../ui/notice.tsx";
import { Ago } from "../../ui/time.tsx";
import { describeDetails } from "./describe-details.ts";

const kinds = ["", "package", "generation", "host", "storage", "registry", "policy", "waiver", "token", "request", "environment"];

/** Every change that somebody made, newest first. */
export function AuditLog() {
  const [action, setAction] = useState("");
  const query = useInfiniteQuery({
    queryKey: ["audit", action],
    queryFn: ({ pageParam, signal }) =>
      api.audit.list({ limit: 50, ...(action && { action }), ...(pageParam && { after: pageParam }) }, { signal }),
    initialPageParam: 0,
    getNextPageParam: ({ next }) => next,
    enabled: useMay("look"),
  });
  const records = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section className="card" aria-labelledby="audit">
      <div className="card-head">
        <h2 id="audit" className="grow">
          Audit log
        </h2>
        <select
          className="select audit-kind"
          aria-label="Kind of change"
          value={action}
          onChange={({ target }) => setAction(target.value)}
        >
          {kinds.map((kind) => (
            <option key={kind} value={kind}>
              {kind || "all changes"}
            </option>
          ))}
        </select>
      </div>
      {query.isError && (
        <div className="card-body">
          <ErrorNotice error={query.error} />
        </div>
      )}
      <ol>
        {records.map(({ id, at, actor, action: what, target, details }) => (
          <li key={id} className="access-item">
            <code className="audit-action">{what}</code>
            <span className="grow break">
              {target} <span className="faint audit-details">{details && describeDetails(details)}</span>
            </span>
            <span className="faint audit-who">
              {actor}, <Ago at={at} />
            </span>
          </li>
        ))}
      </ol>
      {records.length === 0 && query.isSuccess && <p className="card-body soft">Nothing of that kind.</p>}
      {query.hasNextPage && (
        <div className="card-body">
          <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Show earlier ones
          </Button>
        </div>
      )}
    </section>
  );
}
