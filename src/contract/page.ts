import { z } from "zod";

/** How a list is asked for and answered a page at a time, the same for all that page. `cursor`: what tells its items apart, in their order, which never changes. */
export const pageQueryOf = <Cursor extends z.ZodType>(cursor: Cursor, { most, usual }: { most: number; usual: number }) =>
  z.object({
    limit: z.coerce.number().int().min(1).max(most).default(usual),
    after: cursor.optional().describe("`next` of the page before"),
  });

export const pageOf = <Item extends z.ZodType, Cursor extends z.ZodType>(item: Item, cursor: Cursor) =>
  z.object({
    items: z.array(item),
    next: cursor.optional().describe("There are more: what to ask for `after`"),
  });
