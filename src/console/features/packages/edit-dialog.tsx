import { useState } from "react";
import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { keys } from "../../api/queries.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { TextField } from "../../ui/field.tsx";
import { count } from "../../ui/format.ts";
import { ErrorNotice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";
import type { Spec } from "./parse-specs.ts";

/** A change to the allowlist that was not made yet. */
export type AllowlistEdit =
  | { kind: "add"; specs: Spec[] }
  | { kind: "pin"; name: string; version: string }
  | { kind: "enable" | "disable" | "remove"; name: string };

/** Shows what an edit would do, and does it: alone, or with an install right after it. */
export function EditDialog({ edit, onClose }: { edit: AllowlistEdit; onClose(): void }) {
  const environment = useEnvironment();
  const [pinned, setPinned] = useState(edit.kind === "pin" ? edit.version : "");
  const change = useChange(
    async ({ install }: { install: boolean }) => {
      await apply(environment, edit.kind === "pin" ? { ...edit, version: pinned } : edit);
      if (install) await api.installs.start({ environment });
      return install;
    },
    {
      stale: [keys.packages(environment), keys.operations],
      done: (install) => `${doneTexts[edit.kind](edit)}${install ? "; install started" : ""}`,
      quiet: true,
    },
  );
  const run = (install: boolean) => change.mutate({ install }, { onSuccess: onClose });
  const unchanged = edit.kind === "pin" && (pinned === edit.version || pinned === "");
  const waiting = change.isPending ? change.variables.install : undefined;
  return (
    <Dialog
      open
      onClose={onClose}
      title={titleOf(edit)}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button disabled={unchanged} busy={waiting === false} onClick={() => run(false)}>
            {actions[edit.kind]} only
          </Button>
          <Button
            look={edit.kind === "remove" ? "danger" : "primary"}
            disabled={unchanged}
            busy={waiting === true}
            onClick={() => run(true)}
          >
            {actions[edit.kind]} and install
          </Button>
        </>
      }
    >
      {edit.kind === "pin" && (
        <TextField label="Exact version" autoFocus value={pinned} onChange={({ target }) => setPinned(target.value.trim())} />
      )}
      {edit.kind === "add" && <Specs specs={edit.specs} />}
      <p className="soft">{effects[edit.kind]}</p>
      {change.isError && <ErrorNotice error={change.error} />}
    </Dialog>
  );
}

const Specs = ({ specs }: { specs: Spec[] }) => (
  <ul className="spec-list">
    {specs.map(({ name, version }) => (
      <li key={name}>
        <strong className="grow truncate" title={name}>
          {name}
        </strong>
        <span className="mono soft">{version ?? "newest"}</span>
      </li>
    ))}
  </ul>
);

async function apply(environment: string, edit: AllowlistEdit): Promise<void> {
  switch (edit.kind) {
    case "add":
      await api.packages.add({ environment, packages: edit.specs });
      return;
    case "pin":
      await api.packages.add({ environment, packages: [{ name: edit.name, version: edit.version }] });
      return;
    case "remove":
      await api.packages.remove({ environment, name: edit.name });
      return;
    default:
      await api.packages.setEnabled({ environment, name: edit.name, enabled: edit.kind === "enable" });
  }
}

type Kind = AllowlistEdit["kind"];
const actions: Record<Kind, string> = { add: "Add", pin: "Pin", enable: "Enable", disable: "Disable", remove: "Remove" };
const past: Record<Kind, string> = { add: "Added", pin: "Pinned", enable: "Enabled", disable: "Disabled", remove: "Removed" };

const subjectOf = (edit: AllowlistEdit): string =>
  edit.kind !== "add" ? edit.name : edit.specs.length === 1 ? (edit.specs[0]?.name ?? "") : count(edit.specs.length, "package");
const titleOf = (edit: AllowlistEdit): string => `${actions[edit.kind]} ${subjectOf(edit)}`;
const done = (edit: AllowlistEdit): string => `${past[edit.kind]} ${subjectOf(edit)}`;
const doneTexts: Record<Kind, (edit: AllowlistEdit) => string> = {
  add: done,
  pin: done,
  enable: done,
  disable: done,
  remove: done,
};

const effects: Record<Kind, string> = {
  add: "Scripts may import them once an install has put them on the hosts.",
  pin: "Hosts go to this version with the next install. Runs that are under way keep what they started on.",
  enable: "With the next install scripts may import it again, at the version that is pinned.",
  disable: "With the next install scripts can no longer import it; its pin stays on the list.",
  remove:
    "With the next install scripts can no longer import it. Earlier generations keep it, so that a rollback brings it back.",
};
