// biome-ignore-all lint/a11y: rows are placed by hand, which a table element does not allow; roles say what they are.
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { Icon } from "./icon.tsx";
import { useNarrow } from "./use-narrow.ts";

export interface Column<Row> {
  key: string;
  title: string;
  /** A track of CSS grid; `narrow` on small screens, where columns without one are left out. */
  width: string;
  narrow?: string;
  end?: boolean;
  cell(row: Row): ReactNode;
  /** Makes the column sortable. */
  sortBy?(row: Row): string | number;
}

/** Rows after those that are here. */
export interface More {
  /** How many rows there are in all, once that is known. */
  total: number | undefined;
  load(): void;
}

interface TableProps<Row> {
  label: string;
  rows: Row[];
  /** While there are more, no column sorts: what is here is only the beginning. */
  more?: More | undefined;
  columns: Column<Row>[];
  keyOf(row: Row): string;
  rowHeight?: number;
  narrowRowHeight?: number;
}

interface Sort {
  key: string;
  descending: boolean;
}

/** Any number of rows: only those on screen are in the page. The page itself scrolls. */
export function Table<Row>({ label, rows, more, columns, keyOf, rowHeight = 44, narrowRowHeight = 60 }: TableProps<Row>) {
  const [sort, setSort] = useState<Sort>();
  const narrow = useNarrow();
  const space = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => {
    const top = (space.current?.getBoundingClientRect().top ?? 0) + scrollY;
    if (Math.abs(top - offset) > 0.5) setOffset(top);
  });
  const sorting = more ? undefined : sort;
  const sorted = useMemo(() => sortRows(rows, columns, sorting), [rows, columns, sorting]);
  const height = narrow ? narrowRowHeight : rowHeight;
  const virtual = useWindowVirtualizer({
    count: sorted.length,
    estimateSize: () => height,
    overscan: 12,
    scrollMargin: offset,
    getItemKey: (index) => keyOf(sorted[index] as Row),
  });
  const items = virtual.getVirtualItems();
  const isNearEnd = more !== undefined && (items.at(-1)?.index ?? 0) >= sorted.length - ahead;
  useEffect(() => {
    if (isNearEnd) more?.load();
  });
  const shown = narrow ? columns.filter((column) => column.narrow !== undefined) : columns;
  const tracks = shown.map((column) => (narrow ? column.narrow : column.width)).join(" ");
  return (
    <div
      className="table"
      role="table"
      aria-label={label}
      aria-rowcount={more ? (more.total ?? -2) + 1 : rows.length + 1}
      style={{ "--columns": tracks } as object}
    >
      <Head columns={shown} sort={sorting} onSort={more ? undefined : setSort} />
      <div ref={space} className="table-space" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = sorted[item.index] as Row;
          const style = { height, transform: `translateY(${item.start - offset}px)` };
          return (
            <div key={item.key} className="table-row" role="row" aria-rowindex={item.index + 2} style={style}>
              {shown.map((column) => (
                <div key={column.key} role="cell" className={column.end ? "cell end" : "cell"}>
                  {column.cell(row)}
                </div>
              ))}
            </div>
          );
        })}
      </div>
      {more && (
        <p className="table-more soft" role="status">
          Fetching more …
        </p>
      )}
    </div>
  );
}

/** Rows from the last one that is here at which the next ones are fetched. */
const ahead = 100;

interface HeadProps<Row> {
  columns: Column<Row>[];
  sort: Sort | undefined;
  onSort: ((sort: Sort) => void) | undefined;
}

function Head<Row>({ columns, sort, onSort }: HeadProps<Row>) {
  return (
    <div className="table-row table-head" role="row" aria-rowindex={1}>
      {columns.map(({ key, title, end, sortBy }) => {
        const sorted = sort?.key === key ? sort : undefined;
        const direction = sorted ? (sorted.descending ? "descending" : "ascending") : undefined;
        return (
          <div key={key} role="columnheader" className={end ? "cell end" : "cell"} aria-sort={direction}>
            {sortBy && onSort ? (
              <button type="button" onClick={() => onSort({ key, descending: sorted ? !sorted.descending : false })}>
                {title}
                {sorted && <Icon name={sorted.descending ? "down" : "up"} />}
              </button>
            ) : (
              <span className={title.startsWith("(") ? "hidden" : undefined}>{title.replace(/[()]/g, "")}</span>
            )}
          </div>
        );
      })}
    </div>
  );
}

function sortRows<Row>(rows: Row[], columns: Column<Row>[], sort: Sort | undefined): Row[] {
  const sortBy = columns.find(({ key }) => key === sort?.key)?.sortBy;
  if (sort === undefined || sortBy === undefined) return rows;
  const sign = sort.descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [sortBy(a), sortBy(b)];
    return sign * (typeof left === "number" ? left - (right as number) : left.localeCompare(right as string));
  });
}
