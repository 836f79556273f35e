import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { ProjectChange } from '#contract/tasks/v1/projects';
import { Task, TaskChange, TaskEvent, TaskEventType, TaskStatus } from '#contract/tasks/v1/tasks';
import { describe, expect, it } from '@jest/globals';
import { toNotifications } from './notification-rules.ts';

const owner = 'owner';
const assignee = 'assignee';
const task = (fields: Partial<Task> = {}) =>
  Task.fromPartial({ ownerId: owner, title: 'title', status: TaskStatus.PENDING, ...fields });

function notificationsOf(event: Partial<TaskEvent>): [string, NotificationKind][] {
  const full = TaskEvent.fromPartial({
    position: { transactionId: 1n, eventId: 7n },
    createTime: new Date(0),
    ...event,
  });
  return toNotifications(full, () => 'id').map(({ recipientId, kind }) => [recipientId, kind]);
}

const updated = (actor: string, before: Task, after: Task) =>
  notificationsOf({ type: TaskEventType.UPDATED, actor, change: { before, after, dueVersion: 1n } });

describe('an event', () => {
  it('of an overdue task concerns the owner and the assignee, each once', () => {
    const overdue = (after: Task) =>
      notificationsOf({
        type: TaskEventType.OVERDUE,
        actor: 'service:scheduler',
        change: { before: after, after, dueVersion: 1n },
      });
    expect(overdue(task())).toEqual([[owner, NotificationKind.OVERDUE]]);
    expect(overdue(task({ assigneeId: owner }))).toEqual([[owner, NotificationKind.OVERDUE]]);
    expect(overdue(task({ assigneeId: assignee }))).toEqual([
      [owner, NotificationKind.OVERDUE],
      [assignee, NotificationKind.OVERDUE],
    ]);
  });

  it('of an overdue task says when it was due, also when release 0.1 has stored the event', () => {
    const dueTime = new Date('2026-03-29T22:00:00Z');
    const due = { $case: 'dueTime', value: dueTime } as const;
    for (const after of [task({ due, effectiveDueTime: dueTime }), task({ due })]) {
      const event = {
        type: TaskEventType.OVERDUE,
        position: { eventId: 7n },
        createTime: new Date(0),
        change: { after },
      };
      expect(toNotifications(TaskEvent.fromPartial(event), () => 'id')).toMatchObject([{ dueTime }]);
    }
  });

  it('of a changed status concerns all but the one who changed it', () => {
    const [before, after] = [
      task({ assigneeId: assignee }),
      task({ assigneeId: assignee, status: TaskStatus.COMPLETED }),
    ];
    expect(updated(owner, before, after)).toEqual([[assignee, NotificationKind.STATUS_CHANGED]]);
    expect(updated(assignee, before, after)).toEqual([[owner, NotificationKind.STATUS_CHANGED]]);
    expect(updated('an administrator', before, after)).toEqual([
      [owner, NotificationKind.STATUS_CHANGED],
      [assignee, NotificationKind.STATUS_CHANGED],
    ]);
  });

  it('of an assignment concerns the new assignee, unless they made it themselves', () => {
    expect(updated(owner, task(), task({ assigneeId: assignee }))).toEqual([[assignee, NotificationKind.ASSIGNED]]);
    expect(updated(owner, task(), task({ assigneeId: owner }))).toEqual([]);
    const created = notificationsOf({
      type: TaskEventType.CREATED,
      actor: owner,
      change: { after: task({ assigneeId: assignee }), dueVersion: 0n },
    });
    expect(created).toEqual([[assignee, NotificationKind.ASSIGNED]]);
  });

  it('gives the new assignee one notification when the status changed with the assignment', () => {
    const after = task({ assigneeId: assignee, status: TaskStatus.IN_PROGRESS });
    expect(updated('an administrator', task(), after)).toEqual([
      [assignee, NotificationKind.ASSIGNED],
      [owner, NotificationKind.STATUS_CHANGED],
    ]);
  });

  it('of a project, as a release of tasks before projects would send it, concerns nobody', () => {
    const { id: projectId, ...project } = { id: 'p', key: 'WEB', name: 'Website' };
    const payload = ProjectChange.encode(ProjectChange.fromPartial({ projectId, after: project })).finish();
    const sent = TaskEvent.fromPartial({ type: TaskEventType.UNRECOGNIZED, change: TaskChange.decode(payload) });
    expect(notificationsOf(TaskEvent.decode(TaskEvent.encode(sent).finish()))).toEqual([]);
  });

  it('of a change of the status concerns those who watch, whom the owner may not be among any more', () => {
    const [before, after] = [
      task({ assigneeId: assignee }),
      task({ assigneeId: assignee, status: TaskStatus.COMPLETED }),
    ];
    const told = notificationsOf({
      type: TaskEventType.UPDATED,
      actor: assignee,
      change: { before, after, dueVersion: 1n },
      readers: { watcherIds: ['watcher', assignee], mentionedIds: [], stoppedIds: [owner] },
    });
    expect(told).toEqual([['watcher', NotificationKind.STATUS_CHANGED]]);
  });

  it('of a comment concerns each once: those whom it mentions, and the others who watch', () => {
    const readers = { watcherIds: [owner, assignee], mentionedIds: [assignee, 'other'], stoppedIds: [] };
    const commented = (type: TaskEventType) =>
      notificationsOf({ type, actor: 'writer', change: { before: task(), after: task(), dueVersion: 1n }, readers });
    const mentioned = [
      [assignee, NotificationKind.MENTIONED],
      ['other', NotificationKind.MENTIONED],
    ];
    expect(commented(TaskEventType.COMMENT_ADDED)).toEqual([...mentioned, [owner, NotificationKind.COMMENTED]]);
    expect(commented(TaskEventType.COMMENT_EDITED)).toEqual(mentioned);
    expect(commented(TaskEventType.COMMENT_DELETED)).toEqual([]);
  });

  it('of any other change, or of a deletion, concerns nobody', () => {
    expect(updated(owner, task(), task({ title: 'another' }))).toEqual([]);
    expect(
      notificationsOf({
        type: TaskEventType.DELETED,
        actor: owner,
        change: { before: task({ assigneeId: assignee }), dueVersion: 1n },
      }),
    ).toEqual([]);
  });
});
