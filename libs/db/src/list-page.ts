import type { PageScope, PageTokens } from './page-tokens.ts';

export interface PageInput {
  pageSize: number;
  pageToken: string;
}

/** A list that is read by a time and, where that is the same, an id. */
interface PagedList<Row> {
  /** Whose token it is: of this caller, method and filter only. */
  scope: PageScope;
  read(after: { time: Date; id: string } | undefined, limit: number): Promise<Row[]>;
  timeOf(row: Row): Date;
}

/** A page of a list, and the token of the next one; '' at the end. */
export async function listPage<Row extends { id: string }>(
  pageTokens: PageTokens,
  { pageSize, pageToken }: PageInput,
  { scope, read, timeOf }: PagedList<Row>,
): Promise<{ rows: Row[]; nextPageToken: string }> {
  const position = pageTokens.open<[number, string]>(pageToken, scope);
  const after = position && { time: new Date(position[0]), id: position[1] };
  // One row more than the page shows whether another page follows.
  const found = await read(after, pageSize + 1);
  const rows = found.slice(0, pageSize);
  const last = found.length > pageSize ? rows.at(-1) : undefined;
  return { rows, nextPageToken: last === undefined ? '' : pageTokens.seal([timeOf(last).getTime(), last.id], scope) };
}
