import { type ChangeEvent, useState } from "react";
import { LarderError } from "../../../contract/index.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import type { AllowlistEdit } from "./edit-dialog.tsx";
import { specsOfPackageJson } from "./parse-specs.ts";

interface ImportDialogProps {
  open: boolean;
  onClose(): void;
  onReview(edit: AllowlistEdit): void;
}

export function ImportDialog({ open, onClose, onReview }: ImportDialogProps) {
  const [text, setText] = useState("");
  const read = readManifest(text);
  const take = async (event: ChangeEvent<HTMLInputElement>) => setText((await event.target.files?.[0]?.text()) ?? "");
  const review = () => {
    if (!("specs" in read)) return;
    onClose();
    setText("");
    onReview({ kind: "add", specs: read.specs });
  };
  const some = "specs" in read && read.specs.length > 0;
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Import package.json"
      description="Its dependencies go on the allowlist. Exact pins stay; for a range, the newest version in it that policy allows is pinned."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" disabled={!some} onClick={review}>
            Continue
          </Button>
        </>
      }
    >
      <div className="field">
        <label htmlFor="manifest-file">File</label>
        <input id="manifest-file" type="file" accept=".json,application/json" onChange={take} />
      </div>
      <div className="field">
        <label htmlFor="manifest-text">or its text</label>
        <textarea
          id="manifest-text"
          className="input"
          rows={8}
          spellCheck={false}
          placeholder={'{ "dependencies": { "dayjs": "1.11.13" } }'}
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
      </div>
      {"error" in read && <ErrorNotice error={read.error} />}
      {"specs" in read && <Found {...read} />}
    </Dialog>
  );
}

function Found({ specs, ranges, skipped }: ReturnType<typeof specsOfPackageJson>) {
  return (
    <>
      <p role="status">
        <strong>{specs.length}</strong> to add{ranges.length > 0 && `, of them ${ranges.length} by a range: ${ranges.join(", ")}`}
        .
      </p>
      {skipped.length > 0 && <Notice tone="warn">Not from a registry, left out: {skipped.join(", ")}</Notice>}
    </>
  );
}

function readManifest(text: string): ReturnType<typeof specsOfPackageJson> | { error: LarderError } | Record<never, never> {
  if (text.trim() === "") return {};
  try {
    return specsOfPackageJson(text);
  } catch {
    return { error: new LarderError("E_INPUT", "This is not JSON.", { hint: "Paste the whole file." }) };
  }
}
