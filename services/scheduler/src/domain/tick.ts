import type { OverlapPolicy } from './schedule.entity.ts';
import { nextFireTime, type Timing } from './timing.ts';

/** A schedule whose fire time has come. */
export interface DueSchedule {
  id: string;
  job: string;
  timing: Timing;
  overlapPolicy: OverlapPolicy;
  catchUpWindowMs: number;
  /** Not after `now`. */
  nextFireTime: Date;
  /** Its runs that have not ended. */
  unfinished: number;
  /** By the database's clock. */
  now: Date;
}

/** What becomes of the fire times that have come. */
export interface Tick {
  /** Fire times that get a run, the oldest first. */
  runs: Date[];
  /** The latest of those that get none. */
  missed: Date | undefined;
  /** Undefined: never again. */
  next: Date | undefined;
}

/** So many runs are recorded at once; what is left comes with the next tick. */
const maxRuns = 100;

/** How many runs may be unfinished, the new one included. */
const room: Readonly<Record<OverlapPolicy, number>> = { skip: 1, 'buffer-one': 2, 'buffer-all': Number.POSITIVE_INFINITY };

/** The first fire time that is not too old, found without visiting those that are. */
function firstWithinWindow({ timing, nextFireTime: first, now, catchUpWindowMs }: DueSchedule): Date | undefined {
  const oldest = now.getTime() - catchUpWindowMs;
  return first.getTime() >= oldest ? first : nextFireTime(timing, new Date(oldest - 1));
}

export function planTick(schedule: DueSchedule): Tick {
  const { timing, now, unfinished, overlapPolicy } = schedule;
  const free = room[overlapPolicy] - unfinished;
  let next = firstWithinWindow(schedule);
  const tick: Tick = { runs: [], missed: next === schedule.nextFireTime ? undefined : schedule.nextFireTime, next: undefined };
  while (next !== undefined && next <= now && tick.runs.length < Math.min(free, maxRuns)) {
    tick.runs.push(next);
    next = nextFireTime(timing, next);
  }
  if (next === undefined || next > now || tick.runs.length === maxRuns) return { ...tick, next };
  // No room for the others: they are let go at once, however many they are.
  return { ...tick, missed: next, next: nextFireTime(timing, now) };
}
