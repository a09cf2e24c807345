import { useState } from "react";
import type { AllowlistChanges } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { useEnvironment } from "../../api/environment.ts";
import { keys } from "../../api/queries.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { count } from "../../ui/format.ts";
import { ErrorNotice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";
import type { Spec } from "./parse-specs.ts";
import { PlanPreview, usePlan } from "./plan-preview.tsx";
import { VersionChoice } from "./version-choice.tsx";

/** A change to the allowlist that was not made yet. */
export type AllowlistEdit =
  | { kind: "add"; specs: Spec[] }
  | { kind: "pin"; name: string; version: string }
  | { kind: "enable" | "disable" | "remove"; name: string };

/** Shows what an edit would do, and does it: alone, or with an install right after it. */
export function EditDialog({ edit: given, onClose }: { edit: AllowlistEdit; onClose(): void }) {
  const environment = useEnvironment();
  const [pinned, setPinned] = useState(given.kind === "pin" ? given.version : "");
  const edit = given.kind === "pin" ? { ...given, version: pinned } : given;
  const plan = usePlan(changesOf(edit));
  const change = useChange(
    async ({ install }: { install: boolean }) => {
      await apply(environment, edit);
      if (install) await api.installs.start({ environment });
      return install;
    },
    {
      stale: [keys.packages(environment), keys.requests(environment), keys.operations],
      done: (install) => `${past[edit.kind]} ${subjectOf(edit)}${install ? "; install started" : ""}`,
      quiet: true,
    },
  );
  const run = (install: boolean) => change.mutate({ install }, { onSuccess: onClose });
  const unchanged = given.kind === "pin" && pinned === given.version;
  const waiting = change.isPending ? change.variables.install : undefined;
  const refused = plan.isError || plan.data?.ok === false;
  return (
    <Dialog
      open
      onClose={onClose}
      title={`${actions[edit.kind]} ${subjectOf(edit)}`}
      description={effects[edit.kind]}
      shape="wide"
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button disabled={unchanged} busy={waiting === false} onClick={() => run(false)}>
            {actions[edit.kind]} only
          </Button>
          <Button
            look={edit.kind === "remove" ? "danger" : "primary"}
            disabled={unchanged || refused}
            busy={waiting === true}
            onClick={() => run(true)}
          >
            {actions[edit.kind]} and install
          </Button>
        </>
      }
    >
      {given.kind === "pin" && <VersionChoice name={given.name} current={given.version} chosen={pinned} onChoose={setPinned} />}
      {unchanged ? <p className="soft">Choose another version to see what it would change.</p> : <PlanPreview plan={plan} />}
      {change.isError && <ErrorNotice error={change.error} />}
    </Dialog>
  );
}

function changesOf(edit: AllowlistEdit): Partial<AllowlistChanges> {
  const changes =
    edit.kind === "add"
      ? { add: edit.specs }
      : edit.kind === "pin"
        ? { add: [{ name: edit.name, version: edit.version }] }
        : { [edit.kind]: [edit.name] };
  return changes as Partial<AllowlistChanges>;
}

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

const effects: Record<Kind, string> = {
  add: "Scripts may import what is on the list once an install has put it on the hosts.",
  pin: "Hosts go to this version with the next install. Runs that are under way keep what they started on.",
  enable: "With the next install scripts may import it again, at the version that is pinned.",
  disable: "With the next install scripts can no longer import it; its pin stays on the list.",
  remove: "With the next install scripts can no longer import it. A rollback brings it back for them.",
};
