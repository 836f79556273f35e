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
  'bytes',
  'generator cores',
];

function rowCells(row: Row): Cells {
  const figures = [
    row.callsPerSecond,
    row.p50Ms,
    row.p95Ms,
    row.p99Ms,
    row.cpuMsPerCall,
    row.sizeBytes,
    row.generatorCores,
  ];
  return [
    row.scenario,
    row.server,
    row.dataset,
    String(row.inFlight),
    String(row.calls),
    String(row.failures),
    String(row.refused),
    ...figures.map(digits),
  ];
}

function ratioCells(ratio: Ratio): Cells {
  const verdict = ratio.aim === undefined ? '' : isMissed(ratio) ? 'missed' : 'met';
  const { name, dataset, inFlight, value, low, high, aim } = ratio;
  return [
    name,
    dataset,
    String(inFlight),
    value.toFixed(2),
    `${low.toFixed(2)} to ${high.toFixed(2)}`,
    aim === undefined ? '' : `≤ ${aim}`,
    verdict,
  ];
}

const figureCells = ({ name, value, unit }: Figure): Cells => [name, digits(value), unit];

/** All results as text for a terminal. */
export function printResults({ rows, ratios, figures }: Results): string {
  const failed = rows
    .filter(({ failures }) => failures > 0)
    .map(({ scenario, server, firstFailure }) => `${scenario} on ${server}: ${firstFailure}`);
  return [
    ...(rows.length === 0 ? [] : [layOut(rowTitle, rows.map(rowCells))]),
    ...(ratios.length === 0
      ? []
      : [layOut(['ratio', 'tasks', 'in flight', 'median', 'of rounds', 'aim', 'verdict'], ratios.map(ratioCells))]),
    ...(figures.length === 0 ? [] : [layOut(['figure', 'value', 'unit'], figures.map(figureCells))]),
    ...(failed.length === 0 ? [] : [`first failures:\n${failed.join('\n')}`]),
  ].join('\n\n');
}
