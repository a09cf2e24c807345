import { useState } from "react";
import { api } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { SelectField } from "../../ui/field.tsx";
import { useChange } from "../../ui/use-change.ts";

export function VerifyDialog({ onClose }: { onClose(): void }) {
  const [days, setDays] = useState(0);
  const verify = useChange(() => api.storage.verify({ parallel: 4, ...(days > 0 && { maxAgeMs: days * 86_400_000 }) }), {
    stale: [keys.storage, keys.operations],
    done: () => "Verification started",
    quiet: true,
  });
  return (
    <Confirm
      open
      onClose={onClose}
      title="Verify all tarballs"
      action="Verify"
      busy={verify.isPending}
      error={verify.error}
      onConfirm={() => verify.mutate(undefined, { onSuccess: onClose })}
    >
      <p className="soft">Reads and hashes them. What is broken is fetched again, from another store or the registry.</p>
      <SelectField label="Which" value={days} onChange={({ target }) => setDays(Number(target.value))}>
        <option value={0}>all</option>
        <option value={1}>those not verified within a day</option>
        <option value={7}>those not verified within a week</option>
        <option value={30}>those not verified within 30 days</option>
      </SelectField>
    </Confirm>
  );
}
