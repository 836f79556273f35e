import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { TaskEventType, TaskStatus, type Task, type TaskEvent } from '#contract/tasks/v1/tasks';
import type { NewNotification } from './notification.entity.ts';

type Intent = Pick<NewNotification, 'recipientId' | 'kind'>;

const people = (...ids: string[]): string[] => [...new Set(ids)].filter((id) => id !== '');

const toAll = (recipients: string[], kind: NotificationKind): Intent[] => recipients.map((recipientId) => ({ recipientId, kind }));

/** Overdue concerns the owner and the assignee, also when one of them caused it. */
function ofOverdue({ after }: { after: Task }): Intent[] {
  return toAll(people(after.ownerId, after.assigneeId), NotificationKind.OVERDUE);
}

/** Nobody is told what they did themselves. Who has just been assigned hears that, and not the change of status with it. */
function ofWrite({ before, after, actor }: { before: Task | undefined; after: Task; actor: string }): Intent[] {
  const isNews = (recipientId: string) => recipientId !== actor;
  const assigned = after.assigneeId !== (before?.assigneeId ?? '') ? people(after.assigneeId).filter(isNews) : [];
  const statusChanged = before !== undefined && before.status !== after.status;
  const told = statusChanged ? people(after.ownerId, after.assigneeId).filter((id) => isNews(id) && !assigned.includes(id)) : [];
  return [...toAll(assigned, NotificationKind.ASSIGNED), ...toAll(told, NotificationKind.STATUS_CHANGED)];
}

function intentsOf(event: TaskEvent, before: Task | undefined, after: Task): Intent[] {
  switch (event.type) {
    case TaskEventType.OVERDUE:
      return ofOverdue({ after });
    case TaskEventType.CREATED:
    case TaskEventType.UPDATED:
      return ofWrite({ before, after, actor: event.actor });
    default:
      // A deletion ends what concerned the task; event types of a later release concern a later release of this.
      return [];
  }
}

/** The notifications that follow from an event: at most one for each recipient. */
export function toNotifications(event: TaskEvent, newId: () => string): NewNotification[] {
  const { position, change, createTime } = event;
  if (change?.after === undefined) return [];
  if (position === undefined || createTime === undefined) throw new Error('an event needs its position and time');
  const { before, after } = change;
  return intentsOf(event, before, after).map(({ recipientId, kind }) => ({
    id: newId(),
    recipientId,
    eventId: position.eventId,
    kind,
    taskId: event.taskId,
    taskTitle: after.title,
    dueTime: kind === NotificationKind.OVERDUE ? (after.dueTime ?? null) : null,
    dueVersion: change.dueVersion,
    taskVersion: event.taskVersion,
    previousStatus: kind === NotificationKind.STATUS_CHANGED ? (before?.status ?? TaskStatus.UNSPECIFIED) : TaskStatus.UNSPECIFIED,
    status: kind === NotificationKind.STATUS_CHANGED ? after.status : TaskStatus.UNSPECIFIED,
    actor: event.actor,
    callId: event.callId,
    traceParent: event.traceParent,
    eventTime: createTime,
    // A day ends at midnight, when nobody wants to hear of it; a moment was chosen with care.
    waitsForHour: kind === NotificationKind.OVERDUE && after.dueDate !== '',
  }));
}
