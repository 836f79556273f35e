import type { CounterChange, NewEvent, StoredEvent } from '#libs/events';
import { TaskChange, TaskEventType, taskEventTypeFromJSON, type Task as TaskMessage, type TaskEvent } from '#contract/tasks/v1/tasks';
import { countedCells, counterChanges, type CountedCells } from './task-counters.ts';
import { audienceOf } from './task-audience.ts';
import type { Task } from './task.entity.ts';
import { toTaskMessage } from './task.messages.ts';

/** The channel that announces new events to everybody who waits for them. */
export const taskEventsChannel = 'task_events';

/** What a task was before a change: taken before, compared afterwards. */
export interface TaskSnapshot {
  message: TaskMessage | undefined;
  counted: CountedCells;
}

/** Before its creation, and while it is deleted, a task is nothing and counts nowhere. */
export const nothing: TaskSnapshot = { message: undefined, counted: { cells: [] } };

export function snapshotOf(task: Task, now: Date): TaskSnapshot {
  return { message: toTaskMessage(task, now), counted: countedCells(task) };
}

export interface RecordedChange {
  event: NewEvent;
  counters: CounterChange[];
}

interface ChangeOrigin {
  before: TaskSnapshot;
  actorId: string;
  now: Date;
}

/** The one event of a change by a user, in the owner's stream, with what it changes in the counters. */
export function toChange(type: TaskEventType, task: Task, { before, actorId, now }: ChangeOrigin): RecordedChange {
  const after = type === TaskEventType.DELETED ? undefined : toTaskMessage(task, now);
  const change = { before: before.message, after, dueVersion: task.dueVersion };
  return {
    event: {
      streamId: task.ownerId,
      type,
      subjectId: task.id,
      subjectVersion: task.version,
      actor: actorId,
      audience: audienceOf(change),
      payload: TaskChange.encode(change).finish(),
    },
    counters: counterChanges(before.counted, countedCells(task)),
  };
}

/** A task whose due time has passed while it was open. */
export interface OverdueTask {
  task: TaskMessage;
  version: bigint;
  dueVersion: bigint;
}

/** Being overdue changes neither the task's version nor any counter: statistics count overdue tasks by their due time. */
export function toOverdueEvent({ task, version, dueVersion }: OverdueTask): NewEvent {
  const change = { before: { ...task, overdue: false }, after: { ...task, overdue: true }, dueVersion };
  return {
    streamId: task.ownerId,
    type: TaskEventType.OVERDUE,
    subjectId: task.id,
    subjectVersion: version,
    actor: 'service:scheduler',
    audience: audienceOf(change),
    payload: TaskChange.encode(change).finish(),
  };
}

export function toTaskEvent(event: StoredEvent): TaskEvent {
  const { position, streamId, sequence, type, subjectId, subjectVersion, actor, callId, traceParent, createTime, payload } = event;
  return {
    position,
    streamId,
    sequence,
    type: taskEventTypeFromJSON(type),
    taskId: subjectId,
    taskVersion: subjectVersion,
    actor,
    callId,
    traceParent,
    createTime,
    change: TaskChange.decode(payload),
  };
}
