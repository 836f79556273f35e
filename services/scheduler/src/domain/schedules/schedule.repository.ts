import type { BuiltInSchedule } from './built-in-schedules.ts';
import type { ScheduleValues } from './schedule.columns.ts';
import type { DueSchedule, Tick } from './tick.ts';
import type { Timing } from './timing.ts';

/** What pausing, deleting and backfilling need of a schedule. */
export interface LockedSchedule {
  etag: string;
  builtIn: boolean;
  paused: boolean;
  timing: Timing;
}

export interface ScheduleRepository {
  /** Writes what this release has; when replicas differ, the one that started last decides. */
  declare(schedules: readonly BuiltInSchedule[]): Promise<void>;
  count(): Promise<number>;
  /** False when there is one with this id. */
  add(schedule: ScheduleValues): Promise<boolean>;
  exists(scheduleId: string): Promise<boolean>;
  /** Undefined when there is none. Ticks wait for the lock. */
  lock(scheduleId: string): Promise<LockedSchedule | undefined>;
  /** The database's clock. */
  now(): Promise<Date>;
  setPaused(scheduleId: string, paused: boolean, nextFireTime: Date | undefined): Promise<void>;
  /** With its runs. */
  remove(scheduleId: string): Promise<void>;
  /** The schedules whose fire time has come, locked; replicas never get the same. */
  lockDue(limit: number): Promise<DueSchedule[]>;
  /** Records what a tick missed and when the next fire time is. */
  recordTick(scheduleId: string, tick: Pick<Tick, 'missed' | 'next'>): Promise<void>;
  recordResult(scheduleId: string, result: { text: string; failed: boolean }): Promise<void>;
}
