import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Waiver } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { useMay } from "../../api/session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { formatMoment } from "../../ui/format.ts";
import { Loaded } from "../../ui/loading.tsx";
import { Ago } from "../../ui/time.tsx";
import { useChange } from "../../ui/use-change.ts";
import { WaiverDialog } from "./waiver-dialog.tsx";

/** Exceptions, each with who made it, why, and until when. */
export function Waivers() {
  const environment = useEnvironment();
  const mayAdminister = useMay("administer");
  const [adding, setAdding] = useState(false);
  const query = useQuery({
    queryKey: ["waivers", environment],
    queryFn: ({ signal }) => api.waivers.list({ environment }, { signal }),
  });
  return (
    <section className="card" aria-labelledby="waivers">
      <div className="card-head">
        <h2 id="waivers" className="grow">
          Waivers
        </h2>
        {mayAdminister && (
          <Button small icon="plus" onClick={() => setAdding(true)}>
            Waive a rule
          </Button>
        )}
      </div>
      <Loaded query={query}>
        {(waivers) =>
          waivers.length === 0 ? (
            <p className="card-body soft">No exceptions: the policy holds for every version.</p>
          ) : (
            <ul>
              {waivers.map((waiver) => (
                <Item key={waiver.id} waiver={waiver} mayAdminister={mayAdminister} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {adding && <WaiverDialog onClose={() => setAdding(false)} />}
    </section>
  );
}

function Item({ waiver, mayAdminister }: { waiver: Waiver; mayAdminister: boolean }) {
  const { id, environment, rule, name, range, registry, reason, createdBy, createdAt, expiresAt, expired } = waiver;
  const remove = useChange(() => api.waivers.remove({ environment, id }), {
    stale: [["waivers", environment]],
    done: () => "The waiver has ended",
  });
  return (
    <li className="registry">
      <div className="grow">
        <p className="row wrap">
          <span className="strong">{name ? [name, range].filter(Boolean).join(" ") : registry}</span>
          <Badge tone={expired ? "none" : "warn"}>{expired ? `${rule}, expired` : rule}</Badge>
        </p>
        <p className="soft break">{reason}</p>
        <p className="faint">
          {createdBy}, <Ago at={createdAt} />
          {expiresAt && !expired && `; until ${formatMoment(expiresAt)}`}
        </p>
      </div>
      {mayAdminister && (
        <Button small busy={remove.isPending} onClick={() => remove.mutate(undefined)}>
          End
        </Button>
      )}
    </li>
  );
}
