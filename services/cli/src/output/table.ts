import Table from 'cli-table3';
import { stripVTControlCharacters } from 'node:util';
import { fit, paint, widthOf } from './text.ts';

export interface Column<Row> {
  head: string;
  cell: (row: Row) => string;
  /** Gives way when the terminal is narrow. */
  flexible?: boolean;
  style?: (row: Row) => Parameters<typeof paint>[0] | undefined;
}

const gap = 2;
const least = 8;
const noBorders = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, '']),
);

/** Columns of the terminal; without one nothing is cut. */
const terminalColumns = (): number => (process.stdout.isTTY ? process.stdout.columns || 80 : Infinity);

function flexibleWidth(widths: readonly number[], flexible: readonly boolean[], total: number): number {
  const rigid = widths.reduce((sum, width, index) => sum + gap + (flexible[index] === true ? 0 : width), -gap);
  const count = flexible.filter(Boolean).length;
  return Math.max(least, Math.floor((total - rigid) / Math.max(1, count)));
}

/** A table without lines, which fits into the terminal by cutting its flexible columns. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  total = terminalColumns(),
): string {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const widths = columns.map(({ head }, index) =>
    Math.max(widthOf(head), ...cells.map((line) => widthOf(line[index] ?? ''))),
  );
  const room = flexibleWidth(
    widths,
    columns.map(({ flexible }) => flexible === true),
    total,
  );
  const table = new Table({
    chars: noBorders,
    style: { 'padding-left': 0, 'padding-right': gap, head: [], border: [] },
  });
  table.push(columns.map(({ head }) => paint('dim', head)));
  for (const [number, line] of cells.entries())
    table.push(
      columns.map(({ flexible, style }, index) => {
        const text = flexible === true ? fit(line[index] ?? '', room) : (line[index] ?? '');
        const look = style?.(rows[number] as Row);
        return look === undefined ? text : paint(look, text);
      }),
    );
  return trimEnds(table.toString());
}

/** Spaces at the end of a line would wrap in a narrow terminal. */
function trimEnds(text: string): string {
  return text
    .split('\n')
    .map((line) =>
      stripVTControlCharacters(line) === line ? line.trimEnd() : line.replace(/ +((\u001b\[\d+m)*)$/, '$1'),
    )
    .join('\n');
}
