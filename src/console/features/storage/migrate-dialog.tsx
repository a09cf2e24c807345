import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { StorageStatus } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { SelectField } from "../../ui/field.tsx";
import { count, formatBytes } from "../../ui/format.ts";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";

export function MigrateDialog({ status, onClose }: { status: StorageStatus; onClose(): void }) {
  const targets = status.stores.filter(({ name, configured }) => configured && name !== status.active);
  const [target, setTarget] = useState(targets[0]?.name ?? "");
  const plan = useQuery({
    queryKey: ["migration-plan", target],
    queryFn: ({ signal }) => api.storage.planMigration({ target }, { signal }),
    enabled: target !== "",
    staleTime: 0,
  });
  const migrate = useChange(() => api.storage.migrate({ target }), {
    stale: [keys.storage, keys.operations],
    done: () => `Migration to ${target} started`,
    quiet: true,
  });
  return (
    <Confirm
      open
      onClose={onClose}
      title="Migrate all tarballs"
      action="Migrate"
      busy={migrate.isPending}
      error={migrate.error}
      disabled={plan.data === undefined}
      onConfirm={() => migrate.mutate(undefined, { onSuccess: onClose })}
    >
      {targets.length === 0 ? (
        <Notice>
          There is no other store to go to. Start the control plane with another one configured, such as <code>--s3-bucket</code>.
          The help of <code>larder serve</code> lists what there is.
        </Notice>
      ) : (
        <SelectField label="To" value={target} onChange={(event) => setTarget(event.target.value)}>
          {targets.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </SelectField>
      )}
      {plan.isError && <ErrorNotice error={plan.error} />}
      {plan.data && (
        <p>
          {plan.data.needed
            ? `${count(plan.data.toMove, "tarball")} to copy, ${formatBytes(plan.data.bytesToMove)}. `
            : "Every tarball is there already; it only becomes the active store. "}
          <span className="soft">
            Each is read back and hashed before it counts. Everything stays readable, and new tarballs go to {target} at the end.
          </span>
        </p>
      )}
    </Confirm>
  );
}
