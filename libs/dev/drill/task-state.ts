import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import type { KnownTask } from './recorder.ts';

/** A task as its client knows it after the last acknowledged write. */
export interface OwnTask {
  id: string;
  known: KnownTask;
}

export function toKnown(task: Task): KnownTask {
  const { title, description, status, assigneeId, due, deleteTime } = task;
  return {
    title,
    description,
    status,
    assigneeId,
    dueTime: due?.$case === 'dueTime' ? due.value.toISOString() : '',
    deleted: deleteTime !== undefined,
  };
}

/** The other way round; of a deleted task the time of its deletion is not known. */
export function toTask({ status, dueTime, deleted: _deleted, ...rest }: KnownTask): Task {
  return Task.fromPartial({
    ...rest,
    status: status as Task['status'],
    due: dueTime === '' ? undefined : { $case: 'dueTime', value: new Date(dueTime) },
  });
}

/** Names what differs; empty when nothing does. */
export function differences(found: KnownTask, expected: KnownTask): string {
  const names = Object.keys(expected) as (keyof KnownTask)[];
  return names
    .filter((name) => found[name] !== expected[name])
    .map((name) => `${name} is ${JSON.stringify(found[name])} instead of ${JSON.stringify(expected[name])}`)
    .join(', ');
}

const open: ReadonlySet<string> = new Set([TaskStatus.PENDING, TaskStatus.IN_PROGRESS]);

export const isOpen = ({ status, deleted }: KnownTask): boolean => open.has(status) && !deleted;
export const isOverdue = (known: KnownTask): boolean =>
  isOpen(known) && known.dueTime !== '' && new Date(known.dueTime) < new Date();
