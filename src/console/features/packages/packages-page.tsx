import { useDeferredValue, useMemo, useState } from "react";
import { useSearchParams } from "wouter";
import type { PackageEntry } from "../../../contract/index.ts";
import { usePackages } from "../../api/queries.ts";
import { useMay } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { Empty } from "../../ui/empty.tsx";
import { SearchField } from "../../ui/field.tsx";
import { count } from "../../ui/format.ts";
import { Loaded } from "../../ui/loading.tsx";
import { Page } from "../../ui/page.tsx";
import { AddDialog } from "./add-dialog.tsx";
import { type AllowlistEdit, EditDialog } from "./edit-dialog.tsx";
import { ImportDialog } from "./import-dialog.tsx";
import { PackageSheet } from "./package-sheet.tsx";
import { PackageTable } from "./package-table.tsx";
import "./packages.css";
import { Requests } from "./requests.tsx";

export function PackagesPage() {
  const query = usePackages();
  const mayOperate = useMay("operate");
  const [params, setParams] = useSearchParams();
  const [edit, setEdit] = useState<AllowlistEdit>();
  const [importing, setImporting] = useState(false);
  const adding = params.has("add");
  const setAdding = (open: boolean) => setParams(open ? { add: "" } : {}, { replace: true });
  const entries = query.data?.packages;
  return (
    <Page
      title="Packages"
      summary={entries && summarise(entries)}
      actions={
        mayOperate && (
          <>
            <Button icon="file" onClick={() => setImporting(true)}>
              Import package.json
            </Button>
            <Button look="primary" icon="plus" onClick={() => setAdding(true)}>
              Add packages
            </Button>
          </>
        )
      }
    >
      <Requests onEdit={setEdit} />
      <Loaded query={query}>
        {({ packages }) =>
          packages.length === 0 ? (
            <NothingYet onAdd={mayOperate ? () => setAdding(true) : undefined} />
          ) : (
            <Allowlist entries={packages} onEdit={setEdit} onAdd={mayOperate ? () => setAdding(true) : undefined} />
          )
        }
      </Loaded>
      <AddDialog open={adding} onClose={() => setAdding(false)} onReview={setEdit} />
      <ImportDialog open={importing} onClose={() => setImporting(false)} onReview={setEdit} />
      {edit && <EditDialog key={JSON.stringify(edit)} edit={edit} onClose={() => setEdit(undefined)} />}
    </Page>
  );
}

interface AllowlistProps {
  entries: PackageEntry[];
  onEdit(edit: AllowlistEdit): void;
  onAdd: (() => void) | undefined;
}

function Allowlist({ entries, onEdit, onAdd }: AllowlistProps) {
  const [params, setParams] = useSearchParams();
  const [opened, setOpened] = useState<string>();
  const openedEntry = entries.find(({ name }) => name === opened);
  const text = params.get("q") ?? "";
  const wanted = useDeferredValue(text.trim().toLowerCase());
  const found = useMemo(
    () => entries.filter(({ name, addedBy }) => `${name} ${addedBy}`.toLowerCase().includes(wanted)),
    [entries, wanted],
  );
  return (
    <>
      <div className="row">
        <SearchField
          label="Search the allowlist"
          value={text}
          onChange={({ target }) => setParams(target.value ? { q: target.value } : {}, { replace: true })}
        />
        {wanted && (
          <span className="soft" role="status">
            {count(found.length, "match", "matches")}
          </span>
        )}
      </div>
      {found.length === 0 ? (
        <div className="card">
          <Empty
            icon="search"
            title={`Nothing on the allowlist matches “${text}”`}
            actions={
              onAdd && (
                <Button icon="plus" onClick={onAdd}>
                  Add a package
                </Button>
              )
            }
          />
        </div>
      ) : (
        <PackageTable entries={found} onEdit={onEdit} onOpen={setOpened} />
      )}
      {openedEntry && <PackageSheet entry={openedEntry} onClose={() => setOpened(undefined)} />}
    </>
  );
}

const NothingYet = ({ onAdd }: { onAdd: (() => void) | undefined }) => (
  <div className="card">
    <Empty
      icon="packages"
      title="No packages yet"
      actions={
        onAdd && (
          <Button look="primary" icon="plus" onClick={onAdd}>
            Add packages
          </Button>
        )
      }
    >
      What is on this list is what scripts may import, each at one exact version, the same on every host.
    </Empty>
  </div>
);

function summarise(entries: PackageEntry[]): string {
  const disabled = entries.filter(({ enabled }) => !enabled).length;
  return `${count(entries.length, "package")} that scripts may import${disabled > 0 ? `, ${disabled} of them disabled` : ""}`;
}
