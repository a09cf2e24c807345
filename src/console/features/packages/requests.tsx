import { useState } from "react";
import type { PackageRequest } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { keys, useRequests } from "../../api/queries.ts";
import { useMay } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { TextField } from "../../ui/field.tsx";
import { count } from "../../ui/format.ts";
import { Ago } from "../../ui/time.tsx";
import { useChange } from "../../ui/use-change.ts";
import type { AllowlistEdit } from "./edit-dialog.tsx";

/** What authors ask for, above the list that it would go on. */
export function Requests({ onEdit }: { onEdit(edit: AllowlistEdit): void }) {
  const mayOperate = useMay("operate");
  const open = (useRequests().data ?? []).filter(({ state }) => state === "open");
  const [declining, setDeclining] = useState<PackageRequest>();
  if (open.length === 0) return null;
  return (
    <section className="card" aria-labelledby="requests">
      <div className="card-head">
        <h2 id="requests">{count(open.length, "request")}</h2>
      </div>
      <ul>
        {open.map((request) => (
          <li key={request.id} className="request">
            <div className="grow">
              <p className="strong truncate" title={request.name}>
                {request.name}
              </p>
              <p className="soft break">
                {request.requestedBy}, <Ago at={request.requestedAt} />
                {request.reason && `: ${request.reason}`}
              </p>
            </div>
            {mayOperate && (
              <>
                <Button small onClick={() => setDeclining(request)}>
                  Decline
                </Button>
                <Button small look="primary" onClick={() => onEdit({ kind: "add", specs: [{ name: request.name }] })}>
                  Review
                </Button>
              </>
            )}
          </li>
        ))}
      </ul>
      {declining && <Decline request={declining} onClose={() => setDeclining(undefined)} />}
    </section>
  );
}

function Decline({ request, onClose }: { request: PackageRequest; onClose(): void }) {
  const environment = useEnvironment();
  const [answer, setAnswer] = useState("");
  const decline = useChange(
    () => api.requests.decline({ environment, id: request.id, ...(answer.trim() && { answer: answer.trim() }) }),
    { stale: [keys.requests(environment)], done: ({ name }) => `Declined ${name}`, quiet: true },
  );
  return (
    <Confirm
      open
      onClose={onClose}
      title={`Decline ${request.name}`}
      action="Decline"
      busy={decline.isPending}
      error={decline.error}
      onConfirm={() => decline.mutate(undefined, { onSuccess: onClose })}
    >
      <TextField
        label={`Answer to ${request.requestedBy}`}
        placeholder="Use dayjs instead"
        maxLength={500}
        value={answer}
        onChange={({ target }) => setAnswer(target.value)}
        hint="They see it where they asked."
      />
    </Confirm>
  );
}
