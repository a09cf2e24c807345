import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";
import { count, formatBytes } from "../../ui/format.ts";
import { ErrorNotice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";

const graces: [label: string, hours: number][] = [
  ["none", 0],
  ["1 hour", 1],
  ["1 day", 24],
  ["7 days", 168],
  ["30 days", 720],
];

/** Shows what would go before anything goes. */
export function CollectDialog({ onClose }: { onClose(): void }) {
  const [hours, setHours] = useState(24);
  const [keep, setKeep] = useState(1);
  const input = { graceMs: hours * 3600_000, keep };
  const plan = useQuery({
    queryKey: ["collection-plan", hours, keep],
    queryFn: ({ signal }) => api.storage.planCollection(input, { signal }),
    staleTime: 0,
    placeholderData: keepPreviousData,
  });
  const collect = useChange(() => api.storage.collect(input), {
    stale: [keys.storage, keys.operations],
    done: () => "Collection started",
    quiet: true,
  });
  return (
    <Confirm
      open
      onClose={onClose}
      title="Collect what nothing needs"
      action="Collect"
      danger
      busy={collect.isPending}
      error={collect.error}
      disabled={plan.data === undefined || plan.isPlaceholderData}
      onConfirm={() => collect.mutate(undefined, { onSuccess: onClose })}
    >
      <div className="two">
        <TextField
          label="Earlier generations to keep"
          type="number"
          min={0}
          max={10_000}
          value={keep}
          onChange={({ target }) => setKeep(Math.max(0, Math.min(10_000, Math.trunc(target.valueAsNumber) || 0)))}
          hint="In each environment, besides the current one"
        />
        <SelectField
          label="Grace"
          value={hours}
          onChange={({ target }) => setHours(Number(target.value))}
          hint="Since something stopped being needed"
        >
          {graces.map(([label, value]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </SelectField>
      </div>
      {plan.isError && <ErrorNotice error={plan.error} />}
      {plan.data && (
        <dl className="facts" aria-live="polite">
          <dt>Would delete</dt>
          <dd>
            {count(plan.data.deleted.blobs, "tarball")}, {formatBytes(plan.data.deleted.bytes)}
          </dd>
          <dt>Strays</dt>
          <dd>
            {count(plan.data.strays.blobs, "copy", "copies")}, {formatBytes(plan.data.strays.bytes)}
          </dd>
          <dt>No longer to roll back to</dt>
          <dd>{count(plan.data.manifests, "generation's tree", "generations' trees")}</dd>
          <dt>Stays, within the grace</dt>
          <dd>
            {count(plan.data.keptWithinGrace.blobs, "tarball")}, {formatBytes(plan.data.keptWithinGrace.bytes)}
          </dd>
        </dl>
      )}
    </Confirm>
  );
}
