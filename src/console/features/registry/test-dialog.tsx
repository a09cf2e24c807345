import { useState } from "react";
import type { RegistryTest } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { TextField } from "../../ui/field.tsx";
import { formatDuration } from "../../ui/format.ts";
import { ErrorNotice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";

const tones: Record<RegistryTest["steps"][number]["state"], Tone> = {
  ok: "good",
  failed: "bad",
  skipped: "none",
  unsupported: "none",
};

/** Says step by step what works. */
export function TestDialog({ name, onClose }: { name: string; onClose(): void }) {
  const [wanted, setWanted] = useState("");
  const test = useChange(() => api.registries.test({ name, ...(wanted.trim() && { package: wanted.trim() }) }), {
    stale: [],
    quiet: true,
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Test ${name}`}
      footer={
        <Button look="primary" busy={test.isPending} onClick={() => test.mutate(undefined)}>
          Test
        </Button>
      }
    >
      <TextField
        label="A package to ask for"
        placeholder="optional"
        value={wanted}
        onChange={({ target }) => setWanted(target.value)}
        hint="With one, its metadata and a tarball are read, too."
      />
      {test.isError && <ErrorNotice error={test.error} />}
      {test.data && (
        <ul className="stack" aria-live="polite">
          {test.data.steps.map(({ step, state, message, hint, ms }) => (
            <li key={step} className="test-step">
              <span className="strong">{step}</span>
              <Badge tone={tones[state]}>{state}</Badge>
              <span className="break">
                {message}
                {hint && <span className="soft"> {hint}</span>}
              </span>
              <span className="faint num">{formatDuration(ms)}</span>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}
