import { TaskStatus, type Task } from '#client/tasks';
import { dayInWords } from './days.ts';
import { dueDayOf, dueTimeOf } from './due.ts';
import type { Viewer } from './filters.ts';
import { priorityLabel, statusLabel } from './words.ts';
import type { TaskChange } from './actions.ts';

export type FieldName = keyof TaskChange;

export const fieldNames: readonly FieldName[] = [
  'title',
  'status',
  'priority',
  'due',
  'assigneeId',
  'labels',
  'description',
];

export const fieldWords: Readonly<Record<FieldName, string>> = {
  title: 'Title',
  status: 'Status',
  priority: 'Priority',
  due: 'Due',
  assigneeId: 'Assignee',
  labels: 'Labels',
  description: 'Description',
};

type Fields = Pick<Task, FieldName> & { assigneeName?: string };

function dueInWords(fields: Fields, { timeZone, today }: Viewer): string {
  const day = dueDayOf(fields, timeZone);
  return day === undefined ? '' : [dayInWords(day, today), dueTimeOf(fields, timeZone)].filter(Boolean).join(', ');
}

/** The value of a field as people read it; "" for none. */
export function valueInWords(fields: Fields, name: FieldName, viewer: Viewer): string {
  const words: Record<FieldName, () => string> = {
    title: () => fields.title,
    description: () => fields.description,
    status: () => (fields.status === TaskStatus.UNSPECIFIED ? '' : statusLabel(fields.status)),
    priority: () => priorityLabel(fields.priority),
    due: () => dueInWords(fields, viewer),
    labels: () => fields.labels.join(', '),
    assigneeId: () => (fields.assigneeId === '' ? '' : (fields.assigneeName ?? '') || 'somebody'),
  };
  return words[name]();
}
