import { type FormEvent, useState } from "react";
import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { keys } from "../../api/queries.ts";
import { Button } from "../../ui/button.tsx";
import { Command } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";
import { count, formatMoment } from "../../ui/format.ts";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";

const hour = 3600_000;
const spans: [label: string, ms: number][] = [
  ["1 hour", hour],
  ["1 day", 24 * hour],
  ["30 days", 720 * hour],
];

/** The right to join, for one host by its name or for several, and the command that uses it. */
export function EnrolDialog({ open, onClose }: { open: boolean; onClose(): void }) {
  const environment = useEnvironment();
  const [id, setId] = useState("");
  const [uses, setUses] = useState(1);
  const [expiresInMs, setExpiresInMs] = useState(24 * hour);
  const enrol = useChange(() => api.hosts.enrol({ environment, expiresInMs, ...(id.trim() ? { id: id.trim() } : { uses }) }), {
    stale: [keys.hosts, keys.enrolments],
    quiet: true,
  });
  const close = () => {
    onClose();
    setId("");
    enrol.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    enrol.mutate(undefined);
  };
  const made = enrol.data;
  return (
    <Dialog
      open={open}
      onClose={close}
      title={made ? "Start the agent on the host" : "Enrol a host"}
      footer={
        made ? (
          <Button look="primary" onClick={close}>
            Done
          </Button>
        ) : (
          <>
            <Button onClick={close}>Cancel</Button>
            <Button type="submit" form="enrol" look="primary" busy={enrol.isPending}>
              Enrol
            </Button>
          </>
        )
      }
    >
      {made ? (
        <>
          <p className="soft">
            Run this there, for {count(made.enrolment.uses, "host")}, until {formatMoment(made.enrolment.expiresAt)}. It needs to
            reach this address, and no registry. The host makes a key of its own and needs the token no more once it has joined.
          </p>
          <Command text={commandFor(made.token)} />
          <Notice tone="warn">The token is shown this once. Who has it can join as a host of {environment}.</Notice>
        </>
      ) : (
        <form id="enrol" className="stack" onSubmit={submit}>
          <TextField
            label="Name of the host"
            autoFocus
            placeholder="edge-1"
            value={id}
            onChange={({ target }) => setId(target.value)}
            hint="Lower-case letters, digits, '-' and '_'. Empty: each host chooses its own."
          />
          {id.trim() === "" && (
            <TextField
              label="How many hosts"
              type="number"
              min={1}
              max={100_000}
              value={uses}
              onChange={({ target }) => setUses(Math.max(1, Math.trunc(target.valueAsNumber) || 1))}
            />
          )}
          <SelectField label="Within" value={expiresInMs} onChange={({ target }) => setExpiresInMs(Number(target.value))}>
            {spans.map(([label, ms]) => (
              <option key={ms} value={ms}>
                {label}
              </option>
            ))}
          </SelectField>
          {enrol.isError && <ErrorNotice error={enrol.error} />}
        </form>
      )}
    </Dialog>
  );
}

const commandFor = (token: string): string =>
  `LARDER_TOKEN=${token} \\\n  larder agent --server ${location.origin} --data-dir /var/lib/larder`;
