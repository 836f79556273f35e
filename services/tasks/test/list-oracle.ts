import { ListTasksRequest, TaskStatus, taskPriorityToNumber, type Task } from '#contract/tasks/v1/tasks';
import { uuidv7 } from '#libs/db';
import { priorities, statuses } from '../src/domain/task-enums.ts';
import type { TestTasks } from './start-tasks.ts';

/** Computes what a list must hold from all tasks, in the simplest way. */

export type Random = () => number;

/** mulberry32: the same numbers for the same seed. */
export function randomFrom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const oneOf = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;

export type StoredTask = Pick<
  Task,
  'id' | 'ownerId' | 'assigneeId' | 'title' | 'description' | 'status' | 'priority' | 'labels'
> & {
  dueTime: Date | undefined;
  createTime: Date;
  updateTime: Date;
  deleteTime: Date | undefined;
  /** In the order by hand of its project. */
  position?: string;
};

const day = 86_400_000;
export const words =
  "Water the plants water-melon 100% 1000 under_score underXscore back\\slash it's Äpfel ΣΊΣΥΦΟΣ a:b* (x|y) <-> & !no e-mail x@y.org".split(
    ' ',
  );
export const labelNames = ['home', 'work', 'urgent!', 'a,b', '{x}', '"q"'];

/** One of few moments, so that many keys are equal. */
export function someMoment(random: Random, spread = 12): Date {
  return new Date(
    Date.now() +
      (Math.floor(random() * spread) - spread / 2) * day +
      (random() < 0.3 ? Math.floor(random() * 1000) : 0),
  );
}

export function randomTask(random: Random, people: readonly string[]): StoredTask {
  const text = (length: number): string =>
    Array.from({ length }, () => oneOf(random, words)).join(oneOf(random, [' ', '\n']));
  return {
    id: uuidv7(),
    ownerId: oneOf(random, people),
    assigneeId: random() < 0.5 ? '' : oneOf(random, people),
    title: Array.from({ length: 1 + Math.floor(random() * 2) }, () => oneOf(random, words)).join(' '),
    description: random() < 0.5 ? '' : text(3),
    status: oneOf(random, statuses),
    priority: oneOf(random, priorities),
    labels: labelNames.filter(() => random() < 0.3),
    dueTime: random() < 0.3 ? undefined : someMoment(random),
    createTime: new Date(someMoment(random).setUTCMilliseconds(0)),
    updateTime: someMoment(random),
    deleteTime: random() < 0.1 ? new Date() : undefined,
  };
}

/** Inserts many tasks without the service, because lists need neither due rows nor events. */
const insert = `
  insert into tasks (id, owner_id, assignee_id, title, description, status, priority, labels, due_time, create_time, update_time, delete_time, due_version, version)
  select id, owner_id, assignee_id, title, description, status, priority, array(select jsonb_array_elements_text(labels)), due_time, create_time, update_time, delete_time, 0, 1
  from jsonb_to_recordset($1::jsonb) as row (id uuid, owner_id uuid, assignee_id uuid, title text, description text, status smallint, priority smallint,
    labels jsonb, due_time timestamptz, create_time timestamptz, update_time timestamptz, delete_time timestamptz)`;

export async function store(service: TestTasks, tasks: StoredTask[]): Promise<void> {
  const rows = tasks.map((task) => ({
    ...{
      id: task.id,
      owner_id: task.ownerId,
      assignee_id: task.assigneeId === '' ? null : task.assigneeId,
      title: task.title,
      description: task.description,
    },
    ...{
      status: statuses.indexOf(task.status as never) + 1,
      priority: taskPriorityToNumber(task.priority),
      labels: task.labels,
    },
    ...{
      due_time: task.dueTime,
      create_time: task.createTime,
      update_time: task.updateTime,
      delete_time: task.deleteTime,
    },
  }));
  await service.sql(insert, [JSON.stringify(rows)]);
}

type Query = Partial<ListTasksRequest>;

function isListed(task: StoredTask, caller: string, { ownerId = '', showDeleted = false }: Query): boolean {
  const owns = task.ownerId === (ownerId === '' ? caller : ownerId);
  if (task.deleteTime !== undefined) return showDeleted && owns;
  return owns || (ownerId === '' && task.assigneeId === caller);
}

function isWithin(time: Date | undefined, from: Date | undefined, before: Date | undefined): boolean {
  if (from === undefined && before === undefined) return true;
  return time !== undefined && (from === undefined || time >= from) && (before === undefined || time < before);
}

const folded = (text: string): string => text.normalize('NFKC').toLowerCase().replaceAll('ς', 'σ');

/** The beginnings of words: after a space, and where letters or digits begin. */
function beginnings(text: string): string[] {
  return folded(text)
    .split(/\s+/)
    .flatMap((token) => [
      token,
      ...[...token.matchAll(/(?<=[^\p{Alphabetic}\p{Nd}])[\p{Alphabetic}\p{Nd}]/gu)].map(({ index }) =>
        token.slice(index),
      ),
    ]);
}

function holdsWords(task: StoredTask, text: string): boolean {
  const found = beginnings(`${task.title} ${task.description}`);
  return folded(text)
    .trim()
    .split(/\s+/)
    .every((word) => found.some((beginning) => beginning.startsWith(word)));
}

export function isOverdue({ status, dueTime, deleteTime }: StoredTask): boolean {
  const isOpen = status === TaskStatus.PENDING || status === TaskStatus.IN_PROGRESS;
  return isOpen && deleteTime === undefined && dueTime !== undefined && dueTime <= new Date();
}

function fulfils(task: StoredTask, query: Query): boolean {
  const {
    statuses: wantedStatuses,
    priorities: wantedPriorities,
    assigneeId,
    labels,
    overdue,
    hasDue,
    text,
  } = ListTasksRequest.fromPartial(query);
  return [
    wantedStatuses.length === 0 || wantedStatuses.includes(task.status),
    wantedPriorities.length === 0 || wantedPriorities.includes(task.priority),
    isWithin(task.dueTime, query.dueStartTime, query.dueEndTime),
    isWithin(task.createTime, query.createStartTime, query.createEndTime),
    isWithin(task.updateTime, query.updateStartTime, query.updateEndTime),
    assigneeId === '' || task.assigneeId === assigneeId,
    labels.every((label) => task.labels.includes(label)),
    overdue === undefined || isOverdue(task) === overdue,
    hasDue === undefined || (task.dueTime !== undefined) === hasDue,
    text === '' || holdsWords(task, text),
  ].every(Boolean);
}

const keys: Readonly<Record<string, (task: StoredTask) => Date | number | Buffer | undefined>> = {
  create_time: ({ createTime }) => createTime,
  update_time: ({ updateTime }) => updateTime,
  due_time: ({ dueTime }) => dueTime,
  priority: ({ priority }) => taskPriorityToNumber(priority),
  title: ({ title }) => Buffer.from(title),
  position: ({ position = '' }) => Buffer.from(position),
};

function compareKeys(
  a: Date | number | Buffer | undefined,
  b: Date | number | Buffer | undefined,
  sign: number,
): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return sign * (Buffer.isBuffer(a) && Buffer.isBuffer(b) ? Buffer.compare(a, b) : Number(a) - Number(b));
}

/** Tasks of the same priority are in the order of creation. */
function totalOrder(orderBy: string): string {
  if (orderBy === '') return 'create_time desc';
  return orderBy === 'priority' || orderBy === 'priority desc' ? `${orderBy}, create_time${orderBy.slice(8)}` : orderBy;
}

function inOrder(orderBy: string): (a: StoredTask, b: StoredTask) => number {
  const terms = totalOrder(orderBy)
    .split(',')
    .map((term) => term.trim().split(' '));
  const signs = terms.map(([, direction]) => (direction === 'desc' ? -1 : 1));
  return (a, b) => {
    for (const [index, [key = '']] of terms.entries()) {
      const order = compareKeys(keys[key]?.(a), keys[key]?.(b), signs[index] ?? 1);
      if (order !== 0) return order;
    }
    return (signs.at(-1) ?? 1) * (a.id < b.id ? -1 : 1);
  };
}

/** The ids of a list, in order. */
export function expectedIds(all: readonly StoredTask[], caller: string, query: Query): string[] {
  return all
    .filter((task) => isListed(task, caller, query) && fulfils(task, query))
    .sort(inOrder(query.orderBy ?? ''))
    .map(({ id }) => id);
}
