import { type FormEvent, useState } from "react";
import { type WaivableRule, waivableRules } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";
import { ErrorNotice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";

const day = 86_400_000;

export function WaiverDialog({ onClose }: { onClose(): void }) {
  const environment = useEnvironment();
  const [rule, setRule] = useState<WaivableRule>("release-age");
  const [name, setName] = useState("");
  const [range, setRange] = useState("");
  const [reason, setReason] = useState("");
  const [days, setDays] = useState(7);
  const add = useChange(
    () =>
      api.waivers.add({
        environment,
        waiver: {
          rule,
          name: name.trim(),
          reason,
          ...(range.trim() && { range: range.trim() }),
          ...(days > 0 && { expiresInMs: days * day }),
        },
      }),
    { stale: [["waivers", environment]], done: () => "Waived", quiet: true },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate(undefined, { onSuccess: onClose });
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title="Waive a rule"
      description="For versions of one package. It holds from the next plan and install on."
      footer={
        <Button
          type="submit"
          form="waiver"
          look="primary"
          busy={add.isPending}
          disabled={name.trim() === "" || reason.trim() === ""}
        >
          Waive
        </Button>
      }
    >
      <form id="waiver" className="stack" onSubmit={submit}>
        <SelectField label="Rule" value={rule} onChange={({ target }) => setRule(target.value as WaivableRule)}>
          {waivableRules.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </SelectField>
        <TextField label="Package" value={name} onChange={({ target }) => setName(target.value)} />
        <TextField
          label="Versions"
          placeholder="all"
          value={range}
          onChange={({ target }) => setRange(target.value)}
          hint="A range, as npm writes it"
        />
        <TextField label="Why" maxLength={500} value={reason} onChange={({ target }) => setReason(target.value)} />
        <TextField
          label="Days"
          type="number"
          min={0}
          max={3650}
          value={days}
          onChange={({ target }) => setDays(target.valueAsNumber || 0)}
          hint="0: until somebody ends it"
        />
        {add.isError && <ErrorNotice error={add.error} />}
      </form>
    </Dialog>
  );
}
