import { type FormEvent, useState } from "react";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { TextField } from "../../ui/field.tsx";
import type { AllowlistEdit } from "./edit-dialog.tsx";
import { parseSpecs } from "./parse-specs.ts";
import { Found } from "./registry-search.tsx";

interface AddDialogProps {
  open: boolean;
  onClose(): void;
  onReview(edit: AllowlistEdit): void;
}

/** Asks which packages, with what the registries know as one types; what they would bring along is the next step. */
export function AddDialog({ open, onClose, onReview }: AddDialogProps) {
  const [text, setText] = useState("");
  const { specs, wrong } = parseSpecs(text);
  const last = /\S*$/.exec(text)?.[0] ?? "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (specs.length === 0 || wrong.length > 0) return;
    onClose();
    setText("");
    onReview({ kind: "add", specs });
  };
  const take = (name: string) => setText(`${text.slice(0, text.length - last.length)}${name} `);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Add packages"
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form="add-packages" look="primary" disabled={specs.length === 0 || wrong.length > 0}>
            Continue
          </Button>
        </>
      }
    >
      <form id="add-packages" onSubmit={submit}>
        <TextField
          label="Packages"
          autoFocus
          placeholder="dayjs zod@4.1.12 @acme/tools"
          value={text}
          onChange={({ target }) => setText(target.value)}
          error={wrong.length > 0 && !isBeingTyped(text) ? `Not a package or an exact version: ${wrong.join(", ")}` : undefined}
          hint="Names, with an exact version or without: then it is the newest that policy allows."
        />
      </form>
      <Found text={last.replace(/(?<=.)@.*$/, "")} onTake={take} />
    </Dialog>
  );
}

/** The last word may be on its way: `zod@4.1`. */
const isBeingTyped = (text: string): boolean => parseSpecs(text.replace(/\S+$/, "")).wrong.length === 0;
