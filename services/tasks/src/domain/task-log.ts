import type { EventLog } from '#libs/events';
import { toOverdueEvent, type OverdueTask, type RecordedChange } from './task.events.ts';

/** The last thing a transaction does: it locks the heads of the streams it touches, which concurrent writers wait for. */
export interface TaskLog {
  record(change: RecordedChange): Promise<void>;
  recordOverdue(tasks: OverdueTask[]): Promise<void>;
}

export function createTaskLog(events: EventLog): TaskLog {
  return {
    record: ({ event, counters }) => events.append([event], counters),
    recordOverdue: (tasks) => events.append(tasks.map(toOverdueEvent)),
  };
}
