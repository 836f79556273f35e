import type { EventLog } from '#libs/events';
import type { EntityManager } from '@mikro-orm/postgresql';
import { toOverdueEvent, type OverdueTask, type RecordedChange } from './task.events.ts';

export interface TaskLog {
  /** Records a change of a task. The last thing a transaction does: it locks the heads of the streams it touches. */
  record(change: RecordedChange): Promise<void>;
  recordOverdue(tasks: OverdueTask[]): Promise<void>;
}

export function createTaskLog(em: EntityManager, events: EventLog): TaskLog {
  // Everything else is written first. The heads are what concurrent writers of one person wait for, so they are locked
  // last and held for as long as the commit takes.
  const append = async (...entries: Parameters<EventLog['append']>): Promise<void> => {
    await em.flush();
    await events.append(...entries);
  };
  return {
    record: ({ event, counters }) => append([event], counters),
    recordOverdue: (tasks) => append(tasks.map(toOverdueEvent)),
  };
}
