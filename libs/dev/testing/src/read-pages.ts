/** All pages of a list, from the first to the one without a next. */
export async function readPages<Page extends { nextPageToken: string }>(
  read: (pageToken: string) => Promise<Page>,
): Promise<Page[]> {
  const pages = [await read('')];
  for (let next = pages[0]?.nextPageToken; next; next = pages.at(-1)?.nextPageToken) pages.push(await read(next));
  return pages;
}
