import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { TaskStatus, type TaskState } from '#contract/tasks/v1/tasks';
import type { NotificationValues } from './notification.columns.ts';

/** The part of a notification that decides whether it is still true. */
export type Claim = Pick<NotificationValues, 'kind' | 'recipientId' | 'dueVersion' | 'status'>;

const isOpen = ({ status }: TaskState): boolean => status === TaskStatus.PENDING || status === TaskStatus.IN_PROGRESS;

/** Whether the task has moved on since the event, or is no longer the recipient's business. `now`: undefined = gone. */
export function isStale(claim: Claim, now: TaskState | undefined): boolean {
  if (now === undefined) return true;
  if (now.ownerId !== claim.recipientId && now.assigneeId !== claim.recipientId) return true;
  switch (claim.kind) {
    case NotificationKind.OVERDUE:
      return !isOpen(now) || now.dueVersion !== claim.dueVersion;
    case NotificationKind.STATUS_CHANGED:
      return now.status !== claim.status;
    case NotificationKind.ASSIGNED:
      return now.assigneeId !== claim.recipientId;
    default:
      return true;
  }
}
