import type { PackageEntry } from "../../../contract/index.ts";
import { useMay } from "../../api/session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Switch } from "../../ui/field.tsx";
import { Menu } from "../../ui/menu.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Ago } from "../../ui/time.tsx";
import type { AllowlistEdit } from "./edit-dialog.tsx";

interface PackageTableProps {
  entries: PackageEntry[];
  onEdit(edit: AllowlistEdit): void;
}

export function PackageTable({ entries, onEdit }: PackageTableProps) {
  const mayOperate = useMay("operate");
  return (
    <Table
      label="Allowlist"
      rows={entries}
      keyOf={({ name }) => name}
      columns={[...columns, ...(mayOperate ? adminColumns(onEdit) : [])]}
    />
  );
}

const columns: Column<PackageEntry>[] = [
  {
    key: "name",
    title: "Package",
    width: "minmax(160px, 3fr)",
    narrow: "minmax(0, 1fr)",
    sortBy: ({ name }) => name,
    cell: (entry) => <NameCell entry={entry} />,
  },
  {
    key: "version",
    title: "Version",
    width: "minmax(90px, 1fr)",
    cell: ({ version }) => (
      <div className="mono truncate" title={version}>
        {version}
      </div>
    ),
  },
  {
    key: "addedBy",
    title: "Added by",
    width: "minmax(90px, 1fr)",
    sortBy: ({ addedBy }) => addedBy,
    cell: ({ addedBy }) => (
      <div className="truncate soft" title={addedBy}>
        {addedBy}
      </div>
    ),
  },
  {
    key: "addedAt",
    title: "Added",
    width: "90px",
    end: true,
    sortBy: ({ addedAt }) => -Date.parse(addedAt),
    cell: ({ addedAt }) => (
      <span className="soft">
        <Ago at={addedAt} />
      </span>
    ),
  },
];

const NameCell = ({ entry: { name, version, enabled } }: { entry: PackageEntry }) => (
  <div className={enabled ? "package-name" : "package-name off"}>
    <span className="row">
      <strong className="truncate" title={name}>
        {name}
      </strong>
      {!enabled && <Badge>disabled</Badge>}
    </span>
    <span className="mono faint narrow-only truncate">{version}</span>
  </div>
);

const adminColumns = (onEdit: (edit: AllowlistEdit) => void): Column<PackageEntry>[] => [
  {
    key: "enabled",
    title: "(Enabled)",
    width: "32px",
    narrow: "32px",
    cell: ({ name, enabled }) => (
      <Switch label={`${name} enabled`} checked={enabled} onChange={(on) => onEdit({ kind: on ? "enable" : "disable", name })} />
    ),
  },
  {
    key: "more",
    title: "(More)",
    width: "32px",
    narrow: "32px",
    cell: ({ name, version }) => (
      <Menu
        trigger={<Button look="quiet" small icon="more" label={`More about ${name}`} />}
        entries={[
          { label: "Pin another version …", icon: "pin", onSelect: () => onEdit({ kind: "pin", name, version }) },
          { label: "Remove …", icon: "trash", danger: true, onSelect: () => onEdit({ kind: "remove", name }) },
        ]}
      />
    ),
  },
];
