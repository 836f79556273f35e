import { ScheduleOverlapPolicy } from '#contract/scheduler/v1/scheduler';
import type { ScheduleValues } from './schedule.columns.ts';
import { nextFireTime, type Timing } from './timing.ts';

/** A schedule whose fire time has come. */
export interface DueSchedule extends Pick<ScheduleValues, 'id' | 'overlapPolicy'> {
  timing: Timing;
  catchUpWindowMs: number;
  /** Not after `now`. */
  nextFireTime: Date;
  /** How many of its runs have not ended. */
  unfinished: number;
  /** By the database's clock. */
  now: Date;
}

/** The result for the fire times that have come. */
export interface Tick {
  /** Fire times that get a run, the oldest first. */
  runs: Date[];
  /** The latest fire time that gets no run. */
  missed: Date | undefined;
  /** Undefined: never again. */
  next: Date | undefined;
}

/** Runs that one tick records; the next tick records the rest. */
const maxRuns = 100;

/** How many runs may be unfinished, the new one included. */
const room: Readonly<Record<string, number>> = {
  [ScheduleOverlapPolicy.SKIP]: 1,
  [ScheduleOverlapPolicy.BUFFER_ONE]: 2,
  [ScheduleOverlapPolicy.BUFFER_ALL]: Number.POSITIVE_INFINITY,
};

/** The first fire time that is not too old, found without visiting the older ones. */
function firstWithinWindow({ timing, nextFireTime: first, now, catchUpWindowMs }: DueSchedule): Date | undefined {
  const oldest = now.getTime() - catchUpWindowMs;
  return first.getTime() >= oldest ? first : nextFireTime(timing, new Date(oldest - 1));
}

export function planTick(schedule: DueSchedule): Tick {
  const { timing, now, unfinished, overlapPolicy } = schedule;
  const free = (room[overlapPolicy] ?? 1) - unfinished;
  let next = firstWithinWindow(schedule);
  const tick: Tick = {
    runs: [],
    missed: next === schedule.nextFireTime ? undefined : schedule.nextFireTime,
    next: undefined,
  };
  while (next !== undefined && next <= now && tick.runs.length < Math.min(free, maxRuns)) {
    tick.runs.push(next);
    next = nextFireTime(timing, next);
  }
  if (next === undefined || next > now || tick.runs.length === maxRuns) return { ...tick, next };
  // The other fire times have no room and are skipped all at once.
  return { ...tick, missed: next, next: nextFireTime(timing, now) };
}
