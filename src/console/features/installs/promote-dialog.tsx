import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Generation } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { environmentsQuery, keys } from "../../api/queries.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";

/** The very same tree for another environment: what was tried in one is what the other gets. */
export function PromoteDialog({ generation, onClose }: { generation: Generation; onClose(): void }) {
  const environment = useEnvironment();
  const others = (useQuery(environmentsQuery).data ?? []).filter(({ name }) => name !== environment);
  const [chosen, setChosen] = useState<string>();
  const [note, setNote] = useState("");
  const to = chosen ?? others[0]?.name ?? "";
  const promote = useChange(
    () => api.generations.promote({ environment, number: generation.number, to, ...(note.trim() && { note: note.trim() }) }),
    {
      stale: [keys.environments, keys.generations(to), keys.packages(to)],
      done: ({ number }) => `${to} has it as generation ${number}`,
      quiet: true,
    },
  );
  return (
    <Confirm
      open
      onClose={onClose}
      title={`Promote generation ${generation.number}`}
      action="Promote"
      busy={promote.isPending}
      error={promote.error}
      disabled={to === ""}
      onConfirm={() => promote.mutate(undefined, { onSuccess: onClose })}
    >
      {others.length === 0 ? (
        <Notice>There is no other environment. Make one in the list at the top left.</Notice>
      ) : (
        <>
          <p className="soft">
            Makes a new generation there with exactly this tree, without resolving anything anew. That environment's allowlist
            becomes the {generation.packages.length} packages of this generation.
          </p>
          <SelectField label="To" value={to} onChange={({ target }) => setChosen(target.value)}>
            {others.map(({ name, generation: number }) => (
              <option key={name} value={name}>
                {number === 0 ? `${name} (nothing installed)` : `${name} (at generation ${number})`}
              </option>
            ))}
          </SelectField>
          <TextField
            label="Note"
            placeholder="optional"
            maxLength={1000}
            value={note}
            onChange={({ target }) => setNote(target.value)}
          />
        </>
      )}
    </Confirm>
  );
}
