import type { CrashReport, Round } from './crash-test.ts';
import { crashPoints } from './points.ts';

interface Row {
  name: string;
  rounds: Round[];
}

/** The report as people read it: one line for each point, then the sums. */
export function toTable(report: CrashReport): string {
  const rows: Row[] = crashPoints.map(({ name }) => ({ name, rounds: report.history.filter((round) => round.point.name === name) }));
  const header = ['crash point', 'rounds', 'acknowledged', 'lost', 'duplicated', 'median s', 'longest s'];
  const lines = [header, ...[...rows, { name: 'all', rounds: report.history }].filter(({ rounds }) => rounds.length > 0).map((row) => toCells(row, report))];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const table = lines.map((line) => line.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '));
  const companions = (name: Round['with']): number => report.history.filter((round) => round.with === name).length;
  return [
    ...table,
    '',
    `${report.acknowledged} acknowledged, ${report.lost} lost, ${report.duplicated} duplicated effects, ${report.blocked} duplicates blocked`,
    `${report.history.length} rounds in ${report.seconds} s with seed ${report.seed}; with FLUSHALL ${companions('FLUSHALL')}, with a crash of PostgreSQL ${companions('PostgreSQL crash')}`,
  ].join('\n');
}

function toCells({ name, rounds }: Row, report: CrashReport): string[] {
  const sum = (field: 'acknowledged' | 'lost' | 'duplicated'): number => rounds.reduce((total, round) => total + (report.rounds.get(round.number)?.[field] ?? 0), 0);
  const seconds = rounds.map((round) => round.recoverySeconds ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const at = (share: number): string => (seconds[Math.floor((seconds.length - 1) * share)] ?? 0).toFixed(1);
  return [name, String(rounds.length), ...(['acknowledged', 'lost', 'duplicated'] as const).map((field) => String(sum(field))), at(0.5), at(1)];
}
