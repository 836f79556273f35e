const beforeAll = '00000000-0000-0000-0000-000000000000';

/**
 * Walks through rows in the order of their ids. `page` handles up to `size` rows after an id and returns them; the walk
 * ends with the first page that is not full. Returns how many rows there were.
 */
export async function walkPages(
  size: number,
  page: (afterId: string, size: number) => Promise<readonly { id: string }[]>,
): Promise<number> {
  let count = 0;
  for (let afterId: string | undefined = beforeAll; afterId !== undefined;) {
    const rows: readonly { id: string }[] = await page(afterId, size);
    count += rows.length;
    afterId = rows.length < size ? undefined : rows.at(-1)?.id;
  }
  return count;
}
