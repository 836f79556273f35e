import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { TaskStatus, type TaskState } from '#contract/tasks/v1/tasks';
import type { NotificationValues } from './notification.columns.ts';

/** The part of a notification that decides whether it is still true. */
export type Claim = Pick<NotificationValues, 'kind' | 'recipientId' | 'dueVersion' | 'status'>;

/** These kinds also go to people who are neither owner nor assignee, but see the task. */
export const readerKinds: readonly NotificationKind[] = [
  NotificationKind.STATUS_CHANGED,
  NotificationKind.COMMENTED,
  NotificationKind.MENTIONED,
];

const isOpen = ({ status }: TaskState): boolean => status === TaskStatus.PENDING || status === TaskStatus.IN_PROGRESS;

const isTheirs = ({ recipientId }: Claim, { ownerId, assigneeId }: TaskState): boolean =>
  ownerId === recipientId || assigneeId === recipientId;

/**
 * Whether the task has moved on since the event, or is no longer the recipient's business. `now`: undefined = gone.
 * `mayRead`: whether the recipient sees the task, and the comment is there; it counts for readerKinds only.
 */
export function isStale(claim: Claim, now: TaskState | undefined, mayRead = false): boolean {
  if (now === undefined) return true;
  const isBusiness = readerKinds.includes(claim.kind) ? mayRead : isTheirs(claim, now);
  return !isBusiness || hasMovedOn(claim, now);
}

function hasMovedOn(claim: Claim, now: TaskState): boolean {
  switch (claim.kind) {
    case NotificationKind.OVERDUE:
      return !isOpen(now) || now.dueVersion !== claim.dueVersion;
    case NotificationKind.STATUS_CHANGED:
      return now.status !== claim.status;
    case NotificationKind.ASSIGNED:
      return now.assigneeId !== claim.recipientId;
    default:
      return !readerKinds.includes(claim.kind);
  }
}
