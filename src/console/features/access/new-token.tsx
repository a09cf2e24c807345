import { type FormEvent, useState } from "react";
import type { Role } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { Button } from "../../ui/button.tsx";
import { Command } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";

type TokenRole = Exclude<Role, "host">;
const roles: Record<TokenRole, string> = {
  author: "reads packages and types, runs scripts, asks for packages",
  viewer: "reads everything, the audit log included",
  operator: "packages, installs, generations and operations",
  admin: "everything",
  metrics: "reads /metrics alone",
};

export function NewToken({ onClose }: { onClose(): void }) {
  const [role, setRole] = useState<TokenRole>("author");
  const [subject, setSubject] = useState("");
  const create = useChange(() => api.tokens.create({ role, subject: subject.trim() }), {
    stale: [["tokens"], ["audit"]],
    quiet: true,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(undefined);
  };
  const made = create.data;
  return (
    <Dialog
      open
      onClose={onClose}
      title={made ? `The token of ${made.token.subject}` : "New token"}
      footer={
        made ? (
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        ) : (
          <Button type="submit" form="token" look="primary" busy={create.isPending} disabled={subject.trim() === ""}>
            Make it
          </Button>
        )
      }
    >
      {made ? (
        <>
          <Command text={made.text} label="Copy the token" />
          <Notice tone="warn">It is shown this once. Larder keeps a hash of it only.</Notice>
        </>
      ) : (
        <form id="token" className="stack" onSubmit={submit}>
          <TextField
            label="For whom"
            autoFocus
            maxLength={120}
            placeholder="ann, or ci"
            value={subject}
            onChange={({ target }) => setSubject(target.value)}
            hint="Shown as “who” in every history."
          />
          <SelectField label="Role" hint={roles[role]} value={role} onChange={({ target }) => setRole(target.value as TokenRole)}>
            {Object.keys(roles).map((each) => (
              <option key={each}>{each}</option>
            ))}
          </SelectField>
          {create.isError && <ErrorNotice error={create.error} />}
        </form>
      )}
    </Dialog>
  );
}
