import type { EventLog } from '#libs/events';
import { toOverdueEvent, type OverdueTask, type RecordedChange } from './task.events.ts';

/** The last thing a transaction does: it locks the heads of the streams it touches, which concurrent writers wait for. */
export interface TaskLog {
  record(changes: readonly RecordedChange[]): Promise<void>;
  recordOverdue(tasks: OverdueTask[]): Promise<void>;
}

export function createTaskLog(events: EventLog): TaskLog {
  return {
    record: (changes) =>
      events.append(
        changes.map(({ event }) => event),
        changes.flatMap(({ counters }) => counters),
      ),
    recordOverdue: (tasks) => events.append(tasks.map(toOverdueEvent)),
  };
}
