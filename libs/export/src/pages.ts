/** Rows that are read at once: few enough that they are taken long before the snapshot would be given up. */
export const pageSize = 100;

/** Reads page after page; `read` also says where the next one begins, undefined at the end. */
export async function* followPages<Row, Position>(
  read: (after: Position | undefined) => Promise<{ rows: Row[]; next: Position | undefined }>,
): AsyncGenerator<Row[], void> {
  let after: Position | undefined;
  do {
    const { rows, next } = await read(after);
    if (rows.length > 0) yield rows;
    after = next;
  } while (after !== undefined);
}

/** Reads page after page, each behind the position of the last row before; ends with a page that is not full. */
export function readPages<Row, Position>(
  read: (after: Position | undefined, limit: number) => Promise<Row[]>,
  positionOf: (row: Row) => Position,
): AsyncGenerator<Row[], void> {
  return followPages<Row, Position>(async (after) => {
    const rows = await read(after, pageSize);
    const last = rows.length === pageSize ? rows.at(-1) : undefined;
    return { rows, next: last === undefined ? undefined : positionOf(last) };
  });
}
