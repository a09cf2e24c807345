import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { keys, useRequests } from "../../api/queries.ts";
import { useMay } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { Notice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";

/** Asks for a package where it is missed; says what came of it. */
export function RequestButton({ name }: { name: string }) {
  const environment = useEnvironment();
  const mayRun = useMay("run");
  const latest = useRequests().data?.find((request) => request.name === name);
  const ask = useChange(() => api.requests.create({ environment, name }), {
    stale: [keys.requests(environment)],
    done: () => `Asked for ${name}`,
  });
  if (latest?.state === "open") return <p className="soft">Requested by {latest.requestedBy}; it waits for an operator.</p>;
  return (
    <>
      {latest?.state === "declined" && (
        <Notice tone="warn">
          {latest.decidedBy} declined it{latest.answer && `: ${latest.answer}`}
        </Notice>
      )}
      {mayRun && (
        <div className="row">
          <Button small icon="plus" busy={ask.isPending} onClick={() => ask.mutate(undefined)}>
            Request it
          </Button>
        </div>
      )}
    </>
  );
}
