import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { TaskState, TaskStatus } from '#contract/tasks/v1/tasks';
import { describe, expect, it } from '@jest/globals';
import { isStale, type Claim } from './staleness.ts';

const claim = (fields: Partial<Claim>): Claim => ({
  kind: NotificationKind.OVERDUE,
  recipientId: 'ada',
  dueVersion: 2n,
  status: TaskStatus.UNSPECIFIED,
  ...fields,
});
const state = (fields: Partial<TaskState> = {}) =>
  TaskState.fromPartial({ ownerId: 'ada', status: TaskStatus.PENDING, dueVersion: 2n, ...fields });

describe('a notification is stale', () => {
  it.each<[string, Partial<Claim>, TaskState | undefined, boolean]>([
    ['when the task is gone', {}, undefined, true],
    ["when the task is no longer the recipient's business", {}, state({ ownerId: 'eve' }), true],
    ['not while the task is open and due as it was', {}, state(), false],
    ['not for an assignee either', {}, state({ ownerId: 'eve', assigneeId: 'ada' }), false],
    ['when it was rescheduled', {}, state({ dueVersion: 3n }), true],
    ['when it was completed', {}, state({ status: TaskStatus.COMPLETED }), true],
    ['when it was cancelled', {}, state({ status: TaskStatus.CANCELLED }), true],
    ['not when it is only in progress', {}, state({ status: TaskStatus.IN_PROGRESS }), false],
    [
      'when the status changed again',
      { kind: NotificationKind.STATUS_CHANGED, status: TaskStatus.IN_PROGRESS },
      state({ status: TaskStatus.COMPLETED }),
      true,
    ],
    [
      'not while the status is the one it tells',
      { kind: NotificationKind.STATUS_CHANGED, status: TaskStatus.COMPLETED },
      state({ status: TaskStatus.COMPLETED }),
      false,
    ],
    ['when somebody else was assigned', { kind: NotificationKind.ASSIGNED }, state({ assigneeId: 'bob' }), true],
    [
      'not while the recipient is assigned',
      { kind: NotificationKind.ASSIGNED },
      state({ ownerId: 'eve', assigneeId: 'ada' }),
      false,
    ],
  ])('%s', (_name, fields, now, stale) => expect(isStale(claim(fields), now, true)).toBe(stale));

  it.each([NotificationKind.STATUS_CHANGED, NotificationKind.COMMENTED, NotificationKind.MENTIONED])(
    'when it is %s and the recipient does not see the task any more',
    (kind) => {
      const now = state({ ownerId: 'eve', status: TaskStatus.COMPLETED });
      const told = claim({ kind, status: TaskStatus.COMPLETED });
      expect([isStale(told, now, false), isStale(told, now, true)]).toEqual([true, false]);
    },
  );
});
