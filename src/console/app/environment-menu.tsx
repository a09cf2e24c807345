import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "../api/client.ts";
import { useEnvironment } from "../api/environment.ts";
import { environmentsQuery, keys } from "../api/queries.ts";
import { useMay } from "../api/session.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { Icon } from "../ui/icon.tsx";
import { Menu } from "../ui/menu.tsx";
import { ErrorNotice } from "../ui/notice.tsx";
import { useChange } from "../ui/use-change.ts";
import { useVisit } from "./visit.ts";

/** Which environment everything on screen belongs to. */
export function EnvironmentMenu({ page }: { page: string }) {
  const current = useEnvironment();
  const environments = useQuery(environmentsQuery).data ?? [];
  const mayAdminister = useMay("administer");
  const visit = useVisit();
  const [creating, setCreating] = useState(false);
  return (
    <>
      <Menu
        label="Environment"
        trigger={
          <button type="button" className="environment" aria-label={`Environment ${current}`}>
            <span className="grow truncate">{current}</span>
            <Icon name="down" />
          </button>
        }
        entries={[
          ...environments.map(({ name }) => ({
            label: <span className="truncate">{name}</span>,
            ...(name === current && { icon: "check" as const }),
            onSelect: () => visit(page, name),
          })),
          ...(mayAdminister
            ? ["line" as const, { label: "New environment …", icon: "plus" as const, onSelect: () => setCreating(true) }]
            : []),
        ]}
      />
      <NewEnvironment open={creating} onClose={() => setCreating(false)} onCreated={(name) => visit("packages", name)} />
    </>
  );
}

function NewEnvironment({ open, onClose, onCreated }: { open: boolean; onClose(): void; onCreated(name: string): void }) {
  const [name, setName] = useState("");
  const create = useChange((value: string) => api.environments.create({ name: value }), {
    stale: [keys.environments],
    done: (environment) => `Environment ${environment.name} is there`,
    quiet: true,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(name, {
      onSuccess(environment) {
        onClose();
        onCreated(environment.name);
      },
    });
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="New environment"
      description="An allowlist of its own, with its own generations and hosts."
      footer={
        <Button type="submit" form="new-environment" look="primary" busy={create.isPending} disabled={name === ""}>
          Create
        </Button>
      }
    >
      <form id="new-environment" className="stack" onSubmit={submit}>
        <TextField
          label="Name"
          value={name}
          onChange={(event) => setName(event.target.value)}
          placeholder="staging"
          hint="Lower-case letters, digits and '-'."
        />
        {create.isError && <ErrorNotice error={create.error} />}
      </form>
    </Dialog>
  );
}
