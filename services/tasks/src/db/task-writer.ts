import { finalStatement, type EntityManager } from '#libs/db';
import type { EventLog } from '#libs/events';
import { TaskEventType } from '#contract/tasks/v1/tasks';
import { dueRowOf, isSameDueRow } from '../domain/task-due.entity.ts';
import { countersOf, toEvent, type TaskWrite } from '../domain/task.events.ts';
import type { TaskRepository } from '../domain/task.repository.ts';
import { keptDues, leftDues, movedTasks, newTasks, takenNumbers, writtenTasks } from './write-tables.ts';
import { watchersOfMoved } from './watcher-store.ts';

/** Writes tasks in one prepared statement: rows, due rows, events, audience, heads with counters, and the response. */
export function createTaskWriter(em: EntityManager, events: EventLog): TaskRepository['write'] {
  return (writes, response) =>
    finalStatement(em, response, (ctes) =>
      events.append(writes.map(toEvent), writes.flatMap(countersOf), [...tablesOf(writes), ...ctes]),
    );
}

const isCreation = ({ type }: TaskWrite): boolean => type === TaskEventType.CREATED;
const isMove = ({ type }: TaskWrite): boolean => type === TaskEventType.MOVED;

export function tablesOf(writes: readonly TaskWrite[]): ReturnType<typeof keptDues> {
  const created = writes.filter(isCreation).map(({ task }) => task);
  const moves = writes.filter(isMove);
  const moved = moves.map(({ task }) => task);
  const changed = writes.filter((write) => !isCreation(write) && !isMove(write)).map(({ task }) => task);
  const due = writes.filter(({ task, before }) => !isSameDueRow(before.due, dueRowOf(task))).map(({ task }) => task);
  const left = due.filter((task) => !task.isWaitingForDueTime()).map(({ id }) => id);
  return [
    ...(created.length > 0 ? [newTasks(created)] : []),
    ...takenNumbers([...created, ...moved]),
    ...(moves.length > 0 ? [movedTasks(moved), ...watchersOfMoved(moves)] : []),
    ...(left.length > 0 ? [leftDues(left)] : []),
    ...(changed.length > 0 ? [writtenTasks(changed, left.length > 0)] : []),
    ...keptDues(due),
  ];
}
