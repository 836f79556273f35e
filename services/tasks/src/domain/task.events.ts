import { isBehindJoining, type CounterChange, type FeedScope, type Joining } from '#libs/events';
import type { NewEvent, StoredEvent } from '#libs/events';
import {
  TaskChange,
  TaskEventType,
  taskEventTypeFromJSON,
  type Task as TaskMessage,
  type TaskEvent,
} from '#contract/tasks/v1/tasks';
import { countedBuckets, counterChanges, type CountedBuckets } from './task-counters.ts';
import type { Person } from './person.ts';
import { audienceOf, concerns } from './task-audience.ts';
import { dueRowOf, type DueRow } from './task-due.entity.ts';
import type { Task } from './task.entity.ts';
import { toTaskMessage } from './task.messages.ts';

/** The PostgreSQL channel that announces new events. */
export const taskEventsChannel = 'task_events';

/** A task before a change, to compare with afterwards. */
export interface TaskSnapshot {
  message: TaskMessage | undefined;
  counted: CountedBuckets;
  due: DueRow | undefined;
}

/** The snapshot of a task that does not exist yet or is deleted. */
export const nothing: TaskSnapshot = { message: undefined, counted: { buckets: [] }, due: undefined };

export function snapshotOf(task: Task, now: Date): TaskSnapshot {
  return { message: toTaskMessage(task, now), counted: countedBuckets(task), due: dueRowOf(task) };
}

/** A task after a change by a user. Its row, due row, event and counters derive from this. */
export interface TaskWrite {
  type: TaskEventType;
  task: Task;
  before: TaskSnapshot;
  actorId: string;
  now: Date;
}

/** The stream of a task: that of its project, without one that of its owner. */
export const streamOf = (task: { projectId: string | null; ownerId: string }): string => task.projectId || task.ownerId;

/** The one event of the change, in the task's stream; that of a move has a number in the stream that it leaves as well. */
export function toEvent({ type, task, before, actorId, now }: TaskWrite): NewEvent {
  const after = type === TaskEventType.DELETED ? undefined : toTaskMessage(task, now);
  const change = { before: before.message, after, dueVersion: task.dueVersion };
  return {
    streamId: streamOf(task),
    otherStreamId: type === TaskEventType.MOVED && before.message ? streamOf(before.message) : undefined,
    type,
    subjectId: task.id,
    subjectVersion: task.version,
    actor: actorId,
    audience: audienceOf(change),
    payload: TaskChange.encode(change).finish(),
  };
}

/** How the change moves counters. */
export function countersOf({ task, before }: TaskWrite): CounterChange[] {
  return counterChanges(before.counted, countedBuckets(task));
}

/** A task whose due time has passed while it was open. */
export interface OverdueTask {
  task: TaskMessage;
  version: bigint;
  dueVersion: bigint;
}

/** Becoming overdue changes neither the version nor a counter: statistics count overdue tasks by their due time. */
export function toOverdueEvent({ task, version, dueVersion }: OverdueTask): NewEvent {
  const change = { before: { ...task, overdue: false }, after: { ...task, overdue: true }, dueVersion };
  return {
    streamId: streamOf(task),
    type: TaskEventType.OVERDUE,
    subjectId: task.id,
    subjectVersion: version,
    actor: 'service:scheduler',
    audience: audienceOf(change),
    payload: TaskChange.encode(change).finish(),
  };
}

/** Events of other things stand in the log too, also of those that a later release knows. */
export const isTaskEvent = ({ type }: Pick<StoredEvent, 'type'>): boolean => type.startsWith('TASK_EVENT_TYPE_');

/** A release without `effective_due_time` stored the instant in due_time, for a day as well. */
function decodeChange(payload: Uint8Array): TaskChange {
  const { before, after: now, ...change } = TaskChange.decode(payload);
  const after = withEffectiveDueTime(now);
  // A comment changes nothing of its task, so the task is stored once. Clients who do not know comments keep what it is.
  return { ...change, before: change.comment === undefined ? withEffectiveDueTime(before) : after, after };
}

function withEffectiveDueTime(task: TaskMessage | undefined): TaskMessage | undefined {
  if (task?.due?.$case !== 'dueTime' || task.effectiveDueTime !== undefined) return task;
  return { ...task, effectiveDueTime: task.due.value };
}

export function toTaskEvent(event: StoredEvent): TaskEvent {
  const {
    position,
    streamId,
    sequence,
    other,
    type,
    subjectId,
    subjectVersion,
    actor,
    callId: requestId,
    traceParent,
    createTime,
    payload,
  } = event;
  return {
    position,
    streamId,
    sequence,
    type: taskEventTypeFromJSON(type),
    taskId: subjectId,
    taskVersion: subjectVersion,
    actor,
    requestId,
    traceParent,
    createTime,
    change: decodeChange(payload),
    otherStreamId: other?.streamId ?? '',
    otherSequence: other?.sequence ?? 0n,
  };
}

/**
 * The event as this person may see it. Request id and trace are for the caller, the owner of the stream and
 * administrators, because they lead to the caller's other calls in logs and traces. An assignee sees the change and its actor.
 */
export function toTaskEventFor(reader: Person, stored: StoredEvent): TaskEvent {
  const event = toTaskEvent(stored);
  return reader.role === 'admin' || [event.streamId, event.actor].includes(reader.userId)
    ? event
    : { ...event, requestId: '', traceParent: '' };
}

/** Who follows tasks: their own, or all that they may see. */
export interface Follower {
  person: Person;
  scope: FeedScope;
  /** Of which they are a member. From where on counts for whoever follows all. */
  projects: ReadonlyMap<string, Joining | undefined>;
}

/**
 * The event as a follower may see it. `removed`: the task is no longer theirs, and what became of it is left out, as is
 * what it was in a project that they are no member of.
 */
export function toTaskEventOf(follower: Follower, stored: StoredEvent): { event: TaskEvent; removed: boolean } {
  return showStates(toTaskEventFor(follower.person, stored), {
    before: (task) => isInSight(task, follower) && (stored.other === undefined || wasTheirs(task, follower, stored)),
    after: (task) => isTheirs(task, follower),
  });
}

/** Whether they saw the task on the side that it left, when the other one may be all that they see. */
function wasTheirs({ projectId, ...task }: TaskMessage, { person, projects }: Follower, stored: StoredEvent): boolean {
  if (concerns(task, person.userId)) return true;
  const joining = projects.get(projectId);
  return projects.has(projectId) && (joining === undefined || isBehindJoining(stored, joining));
}

/**
 * The event without the states of the task that are not shown, and without the numbers of their streams. `removed`: what
 * became of it is left out or nothing.
 */
export function showStates(
  event: TaskEvent,
  shown: Readonly<Record<'before' | 'after', (task: TaskMessage) => boolean>>,
): { event: TaskEvent; removed: boolean } {
  const { change } = event;
  const removed = change?.after === undefined || !shown.after(change.after);
  const isHidden = change?.before !== undefined && !shown.before(change.before);
  if (change === undefined || (!removed && !isHidden)) return { event, removed };
  const told = removed ? { ...change, after: undefined, comment: undefined, newMentions: undefined } : change;
  const before = isHidden ? undefined : change.before;
  return { event: { ...inShownStream(event, removed), change: { ...told, before } }, removed };
}

/** Of a move, the number in the stream of the side that is shown. */
function inShownStream(event: TaskEvent, removed: boolean): TaskEvent {
  const { otherStreamId, otherSequence } = event;
  if (otherStreamId === '') return event;
  const left = removed ? { streamId: otherStreamId, sequence: otherSequence } : {};
  return { ...event, ...left, otherStreamId: '', otherSequence: 0n };
}

const isInSight = ({ projectId }: TaskMessage, { projects }: Follower): boolean =>
  projectId === '' || projects.has(projectId);

function isTheirs(task: TaskMessage, follower: Follower): boolean {
  if (!isInSight(task, follower)) return false;
  return concerns(task, follower.person.userId) || (follower.scope === 'all' && task.projectId !== '');
}
