import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Revocation } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { useMay } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { Loaded } from "../../ui/loading.tsx";
import { Ago } from "../../ui/time.tsx";
import { useChange } from "../../ui/use-change.ts";
import { RevokeVersionDialog } from "./revoke-version-dialog.tsx";

const revocationsKey = ["revocations"] as const;

/** Versions that no environment may have, such as ones that were found malicious. */
export function Revocations() {
  const mayOperate = useMay("operate");
  const [adding, setAdding] = useState(false);
  const query = useQuery({ queryKey: revocationsKey, queryFn: ({ signal }) => api.revocations.list(undefined, { signal }) });
  return (
    <section className="card" aria-labelledby="revocations">
      <div className="card-head">
        <h2 id="revocations" className="grow">
          Blocked versions
        </h2>
        {mayOperate && (
          <Button small icon="plus" onClick={() => setAdding(true)}>
            Block a version
          </Button>
        )}
      </div>
      <Loaded query={query}>
        {(revocations) =>
          revocations.length === 0 ? (
            <p className="card-body soft">None. A version that is blocked leaves every environment at once.</p>
          ) : (
            <ul>
              {revocations.map((each) => (
                <Item key={`${each.name}@${each.version}`} revocation={each} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {adding && <RevokeVersionDialog onClose={() => setAdding(false)} />}
    </section>
  );
}

function Item({ revocation: { name, version, reason, revokedBy, revokedAt } }: { revocation: Revocation }) {
  const mayAdminister = useMay("administer");
  const lift = useChange(() => api.revocations.remove({ name, version }), {
    stale: [revocationsKey],
    done: () => `${name}@${version} is no longer blocked`,
  });
  return (
    <li className="registry">
      <div className="grow">
        <p className="strong break">
          {name}@{version}
        </p>
        <p className="soft break">{reason ?? "No reason was given."}</p>
        <p className="faint">
          {revokedBy}, <Ago at={revokedAt} />
        </p>
      </div>
      {mayAdminister && (
        <Button small busy={lift.isPending} onClick={() => lift.mutate(undefined)}>
          Lift
        </Button>
      )}
    </li>
  );
}
