import { timestampDate, timestampFromDate, type MessageInitShape } from '#client/index';
import type { Task, TaskSchema } from '#client/tasks';
import type { FileDue, FileTask, StoredTask } from './file-task.ts';

function toDueMessage(due: FileDue): NonNullable<MessageInitShape<typeof TaskSchema>['due']> {
  if ('time' in due) return { case: 'dueTime', value: timestampFromDate(due.time) };
  const [year = 0, month = 0, day = 0] = due.date.split('-').map(Number);
  return { case: 'dueDay', value: { date: { year, month, day }, timeZone: due.zone } };
}

/** The task to create. An empty id assigns it to nobody. */
export function toTaskMessage(
  { due, title, description, status, priority, labels, externalId }: FileTask & Pick<StoredTask, 'externalId'>,
  assigneeId = '',
): MessageInitShape<typeof TaskSchema> {
  const task = { title, description, status, priority, labels, externalId, assigneeId };
  return due === undefined ? task : { ...task, due: toDueMessage(due) };
}

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');

export function toFileDue({ due }: Pick<Task, 'due'>): FileDue | undefined {
  if (due.case === undefined) return undefined;
  if (due.case === 'dueTime') return { time: timestampDate(due.value) };
  const { date: { year, month, day } = { year: 0, month: 0, day: 0 }, timeZone } = due.value;
  return { date: `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`, zone: timeZone };
}

/** A task of the service, as formats write it. */
export function toStoredTask(task: Task): StoredTask {
  const { id, externalId, title, description, status, priority, labels } = task;
  const [createTime, updateTime, completeTime] = [task.createTime, task.updateTime, task.completeTime].map(
    (time) => time && timestampDate(time),
  );
  const due = toFileDue(task);
  return {
    ...{ id, externalId, title, description, status, priority, labels },
    ...{ due, createTime, updateTime, completeTime },
  };
}
