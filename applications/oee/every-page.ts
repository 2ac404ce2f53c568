/** All items of a list, page by page; about `itemsMax` of them at most. */
export async function everyPage<T>(
  read: (cursor: string | undefined) => Promise<{ items: T[]; cursor: string | null }>,
  itemsMax = Number.POSITIVE_INFINITY,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    items.push(...page.items);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined && items.length < itemsMax);
  return items;
}
