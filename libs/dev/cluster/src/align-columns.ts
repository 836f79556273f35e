/** The rows as lines for a terminal. Each column is as wide as its widest cell; `isText(column)` aligns it to the left. */
export function alignColumns(
  rows: readonly (readonly string[])[],
  isText: (column: number) => boolean = () => true,
): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const align = (cell: string, column: number): string =>
    isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(align).join('  ').trimEnd());
}
