interface Page<Item> {
  items: Item[];
  next?: string | undefined;
}

/** What a list has in all, or its first `most`, a page at a time. */
export async function everyPage<Item>(
  read: (query: { limit: number; after?: string }) => Promise<Page<Item>>,
  { most = Number.POSITIVE_INFINITY, pageSize = 1000 }: { most?: number | undefined; pageSize?: number } = {},
): Promise<Item[]> {
  const items: Item[] = [];
  for (let after: string | undefined; ; ) {
    const limit = Math.min(pageSize, most - items.length);
    const page = await read({ limit, ...(after === undefined ? {} : { after }) });
    items.push(...page.items);
    if (page.next === undefined || items.length >= most) return items;
    after = page.next;
  }
}
