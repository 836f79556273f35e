import { alignColumns } from '#dev/cluster';
import { isMissed, type Figure, type Ratio, type Results, type Row } from './results.ts';

type Cells = readonly string[];

function layOut(title: Cells, lines: readonly Cells[]): string {
  const isText = (column: number): boolean => lines.some((line) => /^[A-Za-z]/.test(line[column] ?? ''));
  const [head = '', ...body] = alignColumns([title, ...lines], isText);
  return [head, '-'.repeat(Math.max(...[head, ...body].map(({ length }) => length))), ...body].join('\n');
}

/** Three significant digits are what such measurements are worth. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0 || Math.abs(value) >= 100) return String(Math.round(value));
  return value.toPrecision(3);
}

const rowTitle = [
  'scenario',
  'server',
  'tasks',
  'in flight',
  'calls',
  'failed',
  'refused',
  'calls/s',
  'p50 ms',
  'p95 ms',
  'p99 ms',
  'CPU ms/call',
];

function layOutRows(rows: readonly Row[]): string {
  const parts = [...new Set(rows.flatMap((row) => Object.keys(row.partsMsPerCall)))];
  return layOut(
    [...rowTitle, ...parts, 'bytes', 'generator cores'],
    rows.map((row) => rowCells(row, parts)),
  );
}

function rowCells(row: Row, parts: readonly string[]): Cells {
  const figures = [row.callsPerSecond, row.p50Ms, row.p95Ms, row.p99Ms, row.cpuMsPerCall];
  const ofParts = parts.map((part) => row.partsMsPerCall[part]);
  return [
    row.scenario,
    row.server,
    row.dataset,
    String(row.inFlight),
    String(row.calls),
    String(row.failures),
    String(row.refused),
    ...figures.map(digits),
    ...ofParts.map((ms) => (ms === undefined ? '' : digits(ms))),
    digits(row.sizeBytes),
    digits(row.generatorCores),
  ];
}

function verdictOf(judged: Ratio | Figure): string {
  if (judged.aim === undefined) return '';
  return isMissed(judged) ? 'missed' : 'met';
}

function ratioCells(ratio: Ratio): Cells {
  const { name, dataset, inFlight, value, low, high, aim } = ratio;
  return [
    name,
    dataset,
    String(inFlight),
    value.toFixed(2),
    `${low.toFixed(2)} to ${high.toFixed(2)}`,
    aim === undefined ? '' : `≤ ${aim}`,
    verdictOf(ratio),
  ];
}

function figureCells(figure: Figure): Cells {
  const { name, value, unit, aim } = figure;
  const wanted = aim === undefined ? '' : 'atMost' in aim ? `≤ ${aim.atMost}` : `≥ ${aim.atLeast}`;
  return [name, digits(value), unit, wanted, verdictOf(figure)];
}

/** All results as text for a terminal. */
export function printResults({ rows, ratios, figures }: Results): string {
  const failed = rows
    .filter(({ failures }) => failures > 0)
    .map(({ scenario, server, firstFailure }) => `${scenario} on ${server}: ${firstFailure}`);
  return [
    ...(rows.length === 0 ? [] : [layOutRows(rows)]),
    ...(ratios.length === 0
      ? []
      : [layOut(['ratio', 'tasks', 'in flight', 'median', 'of rounds', 'aim', 'verdict'], ratios.map(ratioCells))]),
    ...(figures.length === 0 ? [] : [layOut(['figure', 'value', 'unit', 'aim', 'verdict'], figures.map(figureCells))]),
    ...(failed.length === 0 ? [] : [`first failures:\n${failed.join('\n')}`]),
  ].join('\n\n');
}
