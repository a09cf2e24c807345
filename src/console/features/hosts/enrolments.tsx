import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { keys } from "../../api/queries.ts";
import { useMay } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { formatMoment } from "../../ui/format.ts";
import { useChange } from "../../ui/use-change.ts";

/** Tokens that hosts can still join with. */
export function Enrolments() {
  const environment = useEnvironment();
  const mayAdminister = useMay("administer");
  const query = useQuery({
    queryKey: keys.enrolments,
    queryFn: ({ signal }) => api.hosts.enrolments(undefined, { signal }),
    enabled: useMay("look"),
  });
  const close = useChange((id: string) => api.hosts.revokeEnrolment({ id }), {
    stale: [keys.enrolments],
    done: () => "Nobody can join with it any more",
  });
  const open = (query.data ?? []).filter((each) => each.environment === environment && each.state === "open");
  if (open.length === 0) return null;
  return (
    <section className="card" aria-labelledby="enrolments">
      <div className="card-head">
        <h2 id="enrolments">Open enrolments</h2>
      </div>
      <ul>
        {open.map(({ id, hostId, uses, used, createdBy, expiresAt }) => (
          <li key={id} className="enrolment">
            <span className="grow break">
              <span className="strong">{hostId ?? `${used} of ${uses} joined`}</span>{" "}
              <span className="soft">
                by {createdBy}, until {formatMoment(expiresAt)}
              </span>
            </span>
            {mayAdminister && (
              <Button small busy={close.isPending && close.variables === id} onClick={() => close.mutate(id)}>
                Close
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
