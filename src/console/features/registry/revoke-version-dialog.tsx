import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { isExactVersion, isPackageName, type RevokeEffect } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { TextField } from "../../ui/field.tsx";
import { ErrorNotice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";

/** Shows what it would do to each environment before it is done. */
export function RevokeVersionDialog({ onClose }: { onClose(): void }) {
  const [spec, setSpec] = useState("");
  const [reason, setReason] = useState("");
  const at = spec.lastIndexOf("@");
  const [name, version] = [spec.slice(0, at), spec.slice(at + 1)];
  const whole = at > 0 && isPackageName(name) && isExactVersion(version);
  const plan = useQuery({
    queryKey: ["revocation-plan", name, version],
    queryFn: ({ signal }) => api.revocations.plan({ name, version }, { signal }),
    enabled: whole,
    staleTime: 0,
    retry: false,
  });
  const revoke = useChange(() => api.revocations.add({ name, version, ...(reason.trim() && { reason: reason.trim() }) }), {
    stale: [["revocations"], keys.operations, ["packages"]],
    done: () => `${name}@${version} is blocked`,
    quiet: true,
  });
  return (
    <Confirm
      open
      onClose={onClose}
      title="Block a version everywhere"
      action="Block now"
      danger
      busy={revoke.isPending}
      error={revoke.error}
      disabled={!whole || plan.data === undefined}
      onConfirm={() => revoke.mutate(undefined, { onSuccess: onClose })}
    >
      <TextField
        label="Version"
        autoFocus
        placeholder="name@1.2.3"
        value={spec}
        onChange={({ target }) => setSpec(target.value.trim())}
      />
      <TextField label="Why" maxLength={500} value={reason} onChange={({ target }) => setReason(target.value)} />
      {plan.isFetching && <p className="soft">Looking what has it …</p>}
      {plan.isError && <ErrorNotice error={plan.error} />}
      {plan.data && <Effects effects={plan.data} />}
    </Confirm>
  );
}

function Effects({ effects }: { effects: RevokeEffect[] }) {
  const holding = effects.filter(({ holds }) => holds);
  if (holding.length === 0) return <p className="soft">No environment has it. None will get it.</p>;
  return (
    <ul className="stack tight" aria-live="polite">
      {holding.map(({ environment, repin, disable, error }) => (
        <li key={environment}>
          <span className="strong">{environment}</span>:{" "}
          {[
            ...repin.map(({ name, from, to }) => `${name} goes from ${from} to ${to}`),
            ...disable.map(({ name, version }) => `${name}@${version} is disabled`),
          ].join(", ") || "has it by way of another package; an install takes it out"}
          {error && <ErrorNotice error={error} />}
        </li>
      ))}
    </ul>
  );
}
