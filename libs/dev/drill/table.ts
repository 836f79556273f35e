import { alignColumns } from '#dev/cluster';
import { figuresOf, graceMs, isOverdue, within, type Attempt, type Figures } from './measures.ts';
import type { Round } from './round.ts';

type Row = readonly string[];

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
const errorsOf = ({ errors }: Figures): string =>
  Object.entries(errors)
    .map(([code, count]) => `${count} × ${code}`)
    .join(', ');

function speedRow(name: string, attempts: readonly Attempt[], { held = '', recovered = '' } = {}): Row {
  const figures = figuresOf(attempts);
  return [
    name,
    held,
    recovered,
    String(figures.attempts),
    figures.p50Ms.toFixed(1),
    figures.p99Ms.toFixed(1),
    errorsOf(figures),
  ];
}

/** The attempts before, during and after the faults; those of the checks left out. */
function phasesOf({ attempts, faults, work }: Round): Record<'before' | 'during' | 'after', Attempt[]> {
  const working = within(attempts, work);
  const first = faults[0]?.window.from ?? work.to;
  const last = faults.at(-1)?.window.to ?? work.to;
  const isDuring = ({ startedAt }: Attempt): boolean =>
    faults.some(({ window }) => startedAt >= window.from && startedAt < window.to);
  return {
    before: within(working, { from: work.from, to: first }),
    during: working.filter(isDuring),
    after: within(working, { from: last, to: work.to }),
  };
}

export function describeRound(round: Round, undisturbed: Round | undefined): string {
  const { before, during, after } = phasesOf(round);
  const rows: Row[] = [
    ['', 'held s', 'recovered s', 'attempts', 'p50 ms', 'p99 ms', 'errors'],
    ...(undisturbed === undefined ? [] : [speedRow('undisturbed run', within(undisturbed.attempts, undisturbed.work))]),
    speedRow('before the faults', before),
    ...round.faults.map(({ name, window, heldMs, recoveredMs }) =>
      speedRow(name, within(round.attempts, window), { held: seconds(heldMs), recovered: seconds(recoveredMs) }),
    ),
    speedRow('during all faults', during),
    speedRow('after the faults', after),
  ];
  const late = round.attempts.filter(isOverdue).length;
  const judged = `${late} of ${round.attempts.length} calls outlived their deadlines by more than ${graceMs} ms; the drill itself stood still for ${Math.round(round.longestStallMs)} ms at most, which calls are allowed`;
  return `${alignColumns(rows).join('\n')}\n${judged}`;
}

export function describeVerdicts(rounds: readonly Round[]): string {
  const rows = rounds.map(({ seed, verdict, faults, interruptions, violations }) => [
    seed,
    verdict.acknowledged,
    verdict.lost,
    verdict.duplicated,
    verdict.notified,
    faults.length,
    interruptions,
    seconds(Math.max(0, ...faults.map(({ recoveredMs }) => recoveredMs))),
    violations.length,
  ]);
  const head = [
    'seed',
    'acknowledged',
    'lost',
    'duplicated',
    'notified',
    'faults',
    'streams resumed',
    'slowest recovery s',
    'violations',
  ];
  return alignColumns([head, ...rows.map((row) => row.map(String))]).join('\n');
}

export function describeViolations({ seed, violations }: Round): string {
  return violations
    .map(({ invariant, what }) => `seed ${seed}: VIOLATION of invariant ${invariant}: ${what}`)
    .join('\n');
}
