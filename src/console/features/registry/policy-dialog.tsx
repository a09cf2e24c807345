import { type FormEvent, useState } from "react";
import type { Policy } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";
import { count } from "../../ui/format.ts";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";

const day = 86_400_000;
const megabyte = 1_000_000;
const actions: Policy["deprecated"][] = ["allow", "flag", "refuse"];

/** Tries a change before it is made: what of the present packages would be refused. */
export function PolicyDialog({ policy, onClose }: { policy: Policy; onClose(): void }) {
  const environment = useEnvironment();
  const [days, setDays] = useState(policy.minReleaseAgeMs / day);
  const [deprecated, setDeprecated] = useState(policy.deprecated);
  const [installScripts, setInstallScripts] = useState(policy.installScripts);
  const [packed, setPacked] = useState((policy.caps.packedBytes.block ?? 0) / megabyte);
  const change = {
    minReleaseAgeMs: Math.round(days * day),
    deprecated,
    installScripts,
    caps: { packedBytes: { ...policy.caps.packedBytes, block: packed > 0 ? Math.round(packed * megabyte) : null } },
  };
  const test = useChange(() => api.policy.test({ environment, change }), { stale: [], quiet: true });
  const save = useChange(() => api.policy.set({ environment, change }), {
    stale: [["policy", environment]],
    done: () => "The policy holds from the next install on",
    quiet: true,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(undefined, { onSuccess: onClose });
  };
  const touched =
    <Value,>(set: (value: Value) => void) =>
    (value: Value) => {
      set(value);
      test.reset();
    };
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Policy of ${environment}`}
      footer={
        <>
          <Button busy={test.isPending} onClick={() => test.mutate(undefined)}>
            Try it
          </Button>
          <Button type="submit" form="policy-form" look="primary" busy={save.isPending}>
            Save
          </Button>
        </>
      }
    >
      <form id="policy-form" className="stack" onSubmit={submit}>
        <TextField
          label="Days that a release must be old"
          type="number"
          min={0}
          max={3650}
          step="any"
          value={days}
          onChange={({ target }) => touched(setDays)(target.valueAsNumber || 0)}
          hint="Most malicious releases are found within days. 0: any age."
        />
        <ActionField label="Deprecated versions" value={deprecated} onChange={touched(setDeprecated)} />
        <ActionField label="Versions with install scripts" value={installScripts} onChange={touched(setInstallScripts)} />
        <TextField
          label="Packed megabytes at most"
          type="number"
          min={0}
          step="any"
          value={packed}
          onChange={({ target }) => touched(setPacked)(target.valueAsNumber || 0)}
          hint="0: no limit"
        />
      </form>
      {test.data && <Tried refused={test.data.refused.map(({ name, version, message }) => `${name}@${version}: ${message}`)} />}
      {(save.error ?? test.error) && <ErrorNotice error={save.error ?? test.error} />}
    </Dialog>
  );
}

interface ActionFieldProps {
  label: string;
  value: Policy["deprecated"];
  onChange(value: Policy["deprecated"]): void;
}

const ActionField = ({ label, value, onChange }: ActionFieldProps) => (
  <SelectField label={label} value={value} onChange={({ target }) => onChange(target.value as Policy["deprecated"])}>
    {actions.map((action) => (
      <option key={action}>{action}</option>
    ))}
  </SelectField>
);

const Tried = ({ refused }: { refused: string[] }) =>
  refused.length === 0 ? (
    <Notice tone="info">Everything that is installed and allowed now would pass.</Notice>
  ) : (
    <Notice tone="warn">
      <p>{count(refused.length, "version", "versions")} that this environment has would be refused:</p>
      <ul>
        {refused.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </Notice>
  );
