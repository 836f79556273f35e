import { alignColumns } from '#dev/cluster';
import type { CrashReport } from './crash-test.ts';
import { crashPoints } from './points.ts';
import { companions, type Round } from './round.ts';

interface Row {
  name: string;
  rounds: Round[];
}

/** The report as people read it: one line for each point, then the sums, then every fault. */
export function toTable(report: CrashReport): string {
  const rows: Row[] = crashPoints.map(({ name }) => ({
    name,
    rounds: report.history.filter((round) => round.point.name === name),
  }));
  const header = ['crash point', 'rounds', 'acknowledged', 'median s', 'longest s'];
  const lines = [
    header,
    ...[...rows, { name: 'all', rounds: report.history }]
      .filter(({ rounds }) => rounds.length > 0)
      .map((row) => toCells(row, report)),
  ];
  const also = companions
    .filter((name) => name !== '')
    .map((name) => `${name} ${report.history.filter((round) => round.with === name).length}`);
  const count = (kind: string): number => report.faults.filter((fault) => fault.kind === kind).length;
  return [
    ...alignColumns(lines, (column) => column === 0),
    '',
    `${report.calls} calls, ${report.unknown} of unknown outcome; ${report.blocked} repetitions without effect`,
    `${count('lost')} lost, ${count('surplus')} surplus, ${count('leaked')} leaked, ${count('contradiction')} contradictions`,
    `${report.history.length} rounds in ${report.seconds} s with seed ${report.seed}; with ${also.join(', ')}`,
    ...report.faults.map(({ kind, what }) => `${kind}: ${what}`),
  ].join('\n');
}

function toCells({ name, rounds }: Row, report: CrashReport): string[] {
  const seconds = rounds.map((round) => round.recoverySeconds ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const at = (share: number): string => (seconds[Math.floor((seconds.length - 1) * share)] ?? 0).toFixed(1);
  return [name, String(rounds.length), String(report.acknowledged(rounds)), at(0.5), at(1)];
}
