export interface Page<Item, Cursor> {
  items: Item[];
  /** There are more, after this one. */
  next?: Cursor;
}

/** Of rows that were asked for with one more than `limit`, which tells whether there is a next page. */
export function cutPage<Row, Item, Cursor>(
  rows: readonly Row[],
  { limit, itemOf, cursorOf }: { limit: number; itemOf(row: Row): Item; cursorOf(row: Row): Cursor },
): Page<Item, Cursor> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(itemOf), ...(rows.length > limit && last !== undefined ? { next: cursorOf(last) } : {}) };
}
