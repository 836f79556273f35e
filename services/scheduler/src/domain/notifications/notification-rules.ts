import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { TaskEventType, TaskStatus, type Task, type TaskEvent } from '#contract/tasks/v1/tasks';
import type { NewNotification } from './notification.columns.ts';

type Addressee = Pick<NewNotification, 'recipientId' | 'kind'>;

const people = (...ids: string[]): string[] => [...new Set(ids)].filter((id) => id !== '');

const toAll = (recipients: string[], kind: NotificationKind): Addressee[] =>
  recipients.map((recipientId) => ({ recipientId, kind }));

/** Overdue concerns the owner and the assignee, also when one of them caused it. */
function ofOverdue({ after }: { after: Task }): Addressee[] {
  return toAll(people(after.ownerId, after.assigneeId), NotificationKind.OVERDUE);
}

/** Users get no notification of their own changes. A new assignee gets that one, and not the change of status with it. */
function ofWrite(event: TaskEvent, before: Task | undefined, after: Task): Addressee[] {
  const { actor } = event;
  const isNews = (recipientId: string) => recipientId !== actor;
  const assigned = after.assigneeId !== (before?.assigneeId ?? '') ? people(after.assigneeId).filter(isNews) : [];
  const statusChanged = before !== undefined && before.status !== after.status;
  const told = statusChanged ? watchersOf(event, after).filter((id) => isNews(id) && !assigned.includes(id)) : [];
  return [...toAll(assigned, NotificationKind.ASSIGNED), ...toAll(told, NotificationKind.STATUS_CHANGED)];
}

/** Owner and assignee watch a task unless they have stopped. A release of tasks of before says nothing of watchers. */
function watchersOf({ readers }: TaskEvent, { ownerId, assigneeId }: Task): string[] {
  const stopped = readers?.stoppedIds ?? [];
  return people(ownerId, assigneeId, ...(readers?.watcherIds ?? [])).filter((id) => !stopped.includes(id));
}

/** Who is mentioned is told that in the place of the comment. Of an edited comment nobody else is told again. */
function ofComment({ type, readers }: TaskEvent): Addressee[] {
  const mentioned = people(...(readers?.mentionedIds ?? []));
  const watching = type === TaskEventType.COMMENT_ADDED ? people(...(readers?.watcherIds ?? [])) : [];
  const others = watching.filter((id) => !mentioned.includes(id));
  return [...toAll(mentioned, NotificationKind.MENTIONED), ...toAll(others, NotificationKind.COMMENTED)];
}

function addresseesOf(event: TaskEvent, before: Task | undefined, after: Task): Addressee[] {
  switch (event.type) {
    case TaskEventType.OVERDUE:
      return ofOverdue({ after });
    case TaskEventType.CREATED:
    case TaskEventType.UPDATED:
      return ofWrite(event, before, after);
    case TaskEventType.COMMENT_ADDED:
    case TaskEventType.COMMENT_EDITED:
      return ofComment(event);
    default:
      // A deletion ends what concerned the task; event types of a later release concern a later release of this.
      return [];
  }
}

/** A dead-letter event that release 0.1 has stored has the instant in `due_time` only, for a day as well. */
function dueTimeOf({ effectiveDueTime, due }: Task): Date | null {
  return effectiveDueTime ?? (due?.$case === 'dueTime' ? due.value : null);
}

/** The notifications that follow from an event: at most one for each recipient. */
export function toNotifications(event: TaskEvent, newId: () => string): NewNotification[] {
  const { position, change, createTime } = event;
  if (change?.after === undefined) return [];
  if (position === undefined || createTime === undefined) throw new Error('an event needs its position and time');
  const { before, after } = change;
  return addresseesOf(event, before, after).map(({ recipientId, kind }) => ({
    id: newId(),
    recipientId,
    eventId: position.eventId,
    kind,
    taskId: event.taskId,
    taskTitle: after.title,
    commentId: change.comment?.id ?? null,
    dueTime: kind === NotificationKind.OVERDUE ? dueTimeOf(after) : null,
    dueVersion: change.dueVersion,
    taskVersion: event.taskVersion,
    previousStatus:
      kind === NotificationKind.STATUS_CHANGED ? (before?.status ?? TaskStatus.UNSPECIFIED) : TaskStatus.UNSPECIFIED,
    status: kind === NotificationKind.STATUS_CHANGED ? after.status : TaskStatus.UNSPECIFIED,
    actor: event.actor,
    callId: event.requestId,
    traceParent: event.traceParent,
    eventTime: createTime,
    // A day ends at midnight, a bad time for a notification; a due time of day was chosen by the user.
    waitsForHour: kind === NotificationKind.OVERDUE && after.due?.$case === 'dueDay',
  }));
}
