import type { PackageEntry } from "../../../contract/index.ts";
import { useMay } from "../../api/session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Switch } from "../../ui/field.tsx";
import { formatAge, formatBytes } from "../../ui/format.ts";
import { Menu } from "../../ui/menu.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Ago } from "../../ui/time.tsx";
import type { AllowlistEdit } from "./edit-dialog.tsx";
import { RegistryCell } from "./registry-cell.tsx";

interface PackageTableProps {
  entries: PackageEntry[];
  onEdit(edit: AllowlistEdit): void;
  onOpen(name: string): void;
}

export function PackageTable({ entries, onEdit, onOpen }: PackageTableProps) {
  const mayOperate = useMay("operate");
  return (
    <Table
      label="Allowlist"
      rows={entries}
      keyOf={({ name }) => name}
      columns={[nameColumn(onOpen), ...columns, ...(mayOperate ? adminColumns(onEdit) : [])]}
    />
  );
}

const nameColumn = (onOpen: (name: string) => void): Column<PackageEntry> => ({
  key: "name",
  title: "Package",
  width: "minmax(150px, 3fr)",
  narrow: "minmax(0, 1fr)",
  sortBy: ({ name }) => name,
  cell: ({ name, version, enabled }) => (
    <div className={enabled ? "package-name" : "package-name off"}>
      <span className="row">
        <button type="button" className="link truncate strong" title={name} onClick={() => onOpen(name)}>
          {name}
        </button>
        {!enabled && <Badge>disabled</Badge>}
      </span>
      <span className="mono faint narrow-only truncate">{version}</span>
    </div>
  ),
});

const columns: Column<PackageEntry>[] = [
  {
    key: "version",
    title: "Version",
    width: "minmax(80px, 1fr)",
    cell: ({ version }) => (
      <div className="mono truncate" title={version}>
        {version}
      </div>
    ),
  },
  {
    key: "age",
    title: "Age",
    width: "56px",
    end: true,
    cell: (entry) => <RegistryCell entry={entry} show={({ publishedAt }) => publishedAt && formatAge(publishedAt)} />,
  },
  {
    key: "size",
    title: "Unpacked",
    width: "76px",
    end: true,
    cell: (entry) => (
      <RegistryCell
        entry={entry}
        show={({ unpackedBytes }) => (unpackedBytes === undefined ? undefined : formatBytes(unpackedBytes))}
      />
    ),
  },
  {
    key: "licence",
    title: "Licence",
    width: "minmax(70px, 0.8fr)",
    cell: (entry) => <RegistryCell entry={entry} show={({ license }) => license} />,
  },
  {
    key: "addedBy",
    title: "Added by",
    width: "minmax(80px, 1fr)",
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
    width: "84px",
    end: true,
    sortBy: ({ addedAt }) => -Date.parse(addedAt),
    cell: ({ addedAt }) => (
      <span className="soft">
        <Ago at={addedAt} />
      </span>
    ),
  },
];

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
