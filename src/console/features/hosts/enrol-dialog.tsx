import { type FormEvent, useState } from "react";
import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { keys } from "../../api/queries.ts";
import { Button } from "../../ui/button.tsx";
import { Command } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { TextField } from "../../ui/field.tsx";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";

/** Names a host, and gives the command that starts its agent, once. */
export function EnrolDialog({ open, onClose }: { open: boolean; onClose(): void }) {
  const environment = useEnvironment();
  const [id, setId] = useState("");
  const enrol = useChange((hostId: string) => api.hosts.enrol({ id: hostId, environment }), { stale: [keys.hosts], quiet: true });
  const close = () => {
    onClose();
    setId("");
    enrol.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    enrol.mutate(id.trim());
  };
  const enrolled = enrol.data;
  return (
    <Dialog
      open={open}
      onClose={close}
      title={enrolled ? `Start the agent on ${enrolled.enrolment.hostId ?? "the host"}` : "Enrol a host"}
      footer={
        enrolled ? (
          <Button look="primary" onClick={close}>
            Done
          </Button>
        ) : (
          <>
            <Button onClick={close}>Cancel</Button>
            <Button type="submit" form="enrol" look="primary" busy={enrol.isPending} disabled={id.trim() === ""}>
              Enrol
            </Button>
          </>
        )
      }
    >
      {enrolled ? (
        <>
          <p className="soft">Run this there. It needs to reach this address, and no registry.</p>
          <Command text={commandFor(enrolled.token)} />
          <Notice tone="warn">
            The token is shown this once, and is good for one host until tomorrow. The host then has a key of its own.
          </Notice>
        </>
      ) : (
        <form id="enrol" className="stack" onSubmit={submit}>
          <TextField
            label="Name of the host"
            autoFocus
            placeholder="edge-1"
            value={id}
            onChange={({ target }) => setId(target.value)}
            hint={`Lower-case letters, digits, '-' and '_'. It joins ${environment}.`}
          />
          {enrol.isError && <ErrorNotice error={enrol.error} />}
        </form>
      )}
    </Dialog>
  );
}

const commandFor = (token: string): string =>
  `LARDER_TOKEN=${token} \\\n  larder agent --server ${location.origin} --data-dir /var/lib/larder`;
