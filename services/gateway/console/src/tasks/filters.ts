import { timestampMs } from '@bufbuild/protobuf/wkt';
import { TaskStatus, type Task, type TaskPriority } from '#client/tasks';
import { daysBetween } from './days.ts';
import { dueDayOf } from './due.ts';
import { isOpen, priorities } from './words.ts';

export type StatusFilter = 'open' | 'done' | 'all';
export type DueFilter = 'any' | 'overdue' | 'today' | 'week' | 'none';
export type WhoFilter = 'anybody' | 'me' | 'others' | 'nobody';
export type Sorting = 'due' | 'priority' | 'created' | 'updated' | 'title';

/** What a list of tasks shows; all of it is in the address, so that a view can be kept and sent. */
export interface Filters {
  text: string;
  status: StatusFilter;
  due: DueFilter;
  who: WhoFilter;
  priorities: readonly TaskPriority[];
  labels: readonly string[];
  sort: Sorting;
}

const oneOf = <T extends string>(text: string | null, choices: readonly T[]): T =>
  choices.find((choice) => choice === text) ?? (choices[0] as T);

export const statusFilters: readonly StatusFilter[] = ['open', 'done', 'all'];
export const dueFilters: readonly DueFilter[] = ['any', 'overdue', 'today', 'week', 'none'];
export const whoFilters: readonly WhoFilter[] = ['anybody', 'me', 'others', 'nobody'];
export const sortings: readonly Sorting[] = ['due', 'priority', 'created', 'updated', 'title'];

/** The first of each is what holds without a word in the address. */
export function readFilters(search: URLSearchParams): Filters {
  const named = search.get('priority')?.split(',') ?? [];
  return {
    text: search.get('q') ?? '',
    status: oneOf(search.get('status'), statusFilters),
    due: oneOf(search.get('due'), dueFilters),
    who: oneOf(search.get('who'), whoFilters),
    priorities: priorities.filter(({ key }) => named.includes(key)).map(({ value }) => value),
    labels: search.getAll('label').filter((label) => label !== ''),
    sort: oneOf(search.get('sort'), sortings),
  };
}

/** Leaves what else is in the address, such as the open task. */
export function writeFilters(search: URLSearchParams, filters: Filters): URLSearchParams {
  const next = new URLSearchParams(search);
  const set = (key: string, value: string, plain: string): void =>
    value === plain ? next.delete(key) : next.set(key, value);
  set('q', filters.text, '');
  set('status', filters.status, 'open');
  set('due', filters.due, 'any');
  set('who', filters.who, 'anybody');
  set('sort', filters.sort, 'due');
  const chosen = priorities.filter(({ value }) => filters.priorities.includes(value)).map(({ key }) => key);
  set('priority', chosen.join(','), '');
  next.delete('label');
  for (const label of filters.labels) next.append('label', label);
  return next;
}

export const countActive = ({ due, who, priorities: chosen, labels }: Filters): number =>
  [due !== 'any', who !== 'anybody', chosen.length > 0, labels.length > 0].filter(Boolean).length;

export interface Viewer {
  id: string;
  timeZone: string;
  today: string;
}

function isInDue(task: Task, due: DueFilter, { timeZone, today }: Viewer): boolean {
  if (due === 'any') return true;
  const day = dueDayOf(task, timeZone);
  if (due === 'none' || day === undefined) return due === 'none' && day === undefined;
  const distance = daysBetween(today, day);
  if (due === 'overdue') return task.overdue && isOpen(task.status);
  return due === 'today' ? distance === 0 : distance >= 0 && distance < 7;
}

function isOfWho({ assigneeId, ownerId }: Task, who: WhoFilter, { id }: Viewer): boolean {
  if (who === 'me') return assigneeId === id || (assigneeId === '' && ownerId === id);
  if (who === 'others') return assigneeId !== '' && assigneeId !== id;
  return who === 'anybody' || assigneeId === '';
}

const isInStatus = ({ status }: Task, filter: StatusFilter): boolean =>
  filter === 'all' || isOpen(status) === (filter === 'open');

function isInText({ title, description, labels, assigneeName }: Task, text: string): boolean {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const whole = [title, description, assigneeName, ...labels].join('\n').toLocaleLowerCase();
  return words.every((word) => whole.includes(word));
}

export const isShown = (task: Task, filters: Filters, viewer: Viewer): boolean =>
  isInStatus(task, filters.status) &&
  (filters.priorities.length === 0 || filters.priorities.includes(task.priority)) &&
  filters.labels.every((label) => task.labels.includes(label)) &&
  isInDue(task, filters.due, viewer) &&
  isOfWho(task, filters.who, viewer) &&
  isInText(task, filters.text);

const momentOf = (time: Task['createTime'], missing: number): number =>
  time === undefined ? missing : timestampMs(time);

const compareBy: Readonly<Record<Sorting, (a: Task, b: Task) => number>> = {
  due: (a, b) =>
    momentOf(a.effectiveDueTime, Infinity) - momentOf(b.effectiveDueTime, Infinity) || b.priority - a.priority,
  priority: (a, b) => b.priority - a.priority || compareBy.due(a, b),
  created: (a, b) => momentOf(b.createTime, 0) - momentOf(a.createTime, 0),
  updated: (a, b) => momentOf(b.updateTime, 0) - momentOf(a.updateTime, 0),
  title: (a, b) => a.title.localeCompare(b.title),
};

/** Infinity minus Infinity is no order. */
const toNumber = (order: number): number => (Number.isNaN(order) ? 0 : order);

export function chooseTasks(tasks: Iterable<Task>, filters: Filters, viewer: Viewer): Task[] {
  const shown = [...tasks].filter((task) => isShown(task, filters, viewer));
  const compare = compareBy[filters.sort];
  const isDone = ({ status }: Task): number =>
    Number(status === TaskStatus.COMPLETED || status === TaskStatus.CANCELLED);
  return shown.toSorted((a, b) => isDone(a) - isDone(b) || toNumber(compare(a, b)) || (a.id < b.id ? -1 : 1));
}
