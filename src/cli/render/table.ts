import type { Page } from "../command.ts";
import type { Style } from "./style.ts";
import { pad, plain, truncate } from "./text.ts";

export interface Column {
  title: string;
  align?: "right";
  /** The least width it may be cut to when the terminal is narrow; a column without one is never cut. */
  shrinkTo?: number;
}
export type Cell = string | number | { text: string; paint: keyof Style };

const gap = "  ";

/** Aligned columns under dim titles, no wider than the page: the widest column that may shrink gives way first. */
export function renderTable(columns: Column[], rows: Cell[][], page: Page): string {
  const texts = rows.map((row) => row.map((cell) => plain(typeof cell === "object" ? cell.text : String(cell))));
  const widths = fit(columns, texts, page.columns);
  const titles = columns.map((column, i) => page.style.dim(align(column.title.toUpperCase(), columns, widths, i)));
  const body = texts.map((row, r) =>
    row.map((text, i) => {
      const shown = align(truncate(text, widths[i]!), columns, widths, i);
      const cell = rows[r]![i]!;
      return typeof cell === "object" ? page.style[cell.paint](shown) : shown;
    }),
  );
  return [titles, ...body].map((cells) => cells.join(gap).trimEnd()).join("\n");
}

// Only what follows on the line needs the padding of the last column.
const align = (text: string, columns: Column[], widths: number[], i: number): string =>
  columns[i]!.align === "right" || i < columns.length - 1 ? pad(text, widths[i]!, columns[i]!.align) : text;

function fit(columns: Column[], texts: string[][], available: number): number[] {
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...texts.map((row) => Bun.stringWidth(row[i]!))));
  const excess = () => widths.reduce((sum, width) => sum + width, gap.length * (columns.length - 1)) - available;
  while (excess() > 0) {
    const candidates = columns.map((column, i) => (widths[i]! > (column.shrinkTo ?? Number.POSITIVE_INFINITY) ? widths[i]! : 0));
    const widest = Math.max(...candidates);
    if (widest === 0) break;
    widths[candidates.indexOf(widest)]!--;
  }
  return widths;
}
