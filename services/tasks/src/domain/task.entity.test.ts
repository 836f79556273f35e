import { describe, expect, it } from '@jest/globals';
import { TaskStatus } from '#contract/tasks/v1/tasks';
import { statuses } from './task-enums.ts';
import { initialDraft, type TaskDraft } from './task.columns.ts';
import { Task } from './task.entity.ts';

const owner = '0198c0de-0000-7000-8000-000000000001';
const now = new Date('2026-05-01T12:00:00.000Z');
const later = new Date('2026-05-02T12:00:00.000Z');

function newTask(draft: Partial<TaskDraft> = {}): Task {
  const complete: TaskDraft = { ...initialDraft, title: 'Water the plants', ...draft };
  return Task.create(complete, { id: '0198c0de-0000-7000-8000-0000000000aa', ownerId: owner, now });
}

describe('the status of a task', () => {
  const legal = new Set([
    'PENDING IN_PROGRESS',
    'PENDING COMPLETED',
    'PENDING CANCELLED',
    'IN_PROGRESS PENDING',
    'IN_PROGRESS COMPLETED',
    'IN_PROGRESS CANCELLED',
    'COMPLETED PENDING',
    'CANCELLED PENDING',
  ]);
  const plain = (status: TaskStatus): string => status.replace('TASK_STATUS_', '');
  const pairs = statuses.flatMap((from) =>
    statuses.filter((to) => to !== from).map((to) => [plain(from), plain(to), from, to] as const),
  );

  it.each(pairs)('moves from %s to %s only when the contract allows it', (fromName, toName, from, to) => {
    const task = newTask({ status: from });
    const move = (): void => task.edit({ status: to }, later);
    if (legal.has(`${fromName} ${toName}`)) {
      move();
      expect(task.status).toBe(to);
    } else {
      expect(move).toThrow(
        expect.objectContaining({ kind: 'failed_precondition', reason: 'ILLEGAL_STATUS_TRANSITION' }),
      );
      expect([task.status, task.version]).toEqual([from, 1n]);
    }
  });

  it('may be set to what it is, which keeps the completion time', () => {
    const task = newTask({ status: TaskStatus.COMPLETED });
    task.edit({ status: TaskStatus.COMPLETED }, later);
    expect(task.completeTime).toEqual(now);
  });

  it('sets the completion time with COMPLETED and clears it again', () => {
    const task = newTask();
    task.edit({ status: TaskStatus.COMPLETED }, later);
    expect(task.completeTime).toEqual(later);
    task.edit({ status: TaskStatus.PENDING }, later);
    expect(task.completeTime).toBeNull();
  });
});

describe('the due version', () => {
  it.each([
    ['stays 0 without a due time', [null, null], 0n],
    ['begins at 1 with a due time', [now], 1n],
    ['grows when a due time is set, moved and cleared', [null, now, later, null], 3n],
    ['stays when the same due time is sent again', [now, new Date(now)], 1n],
  ])('%s', (_, [first, ...rest], expected) => {
    const task = newTask({ dueTime: first ?? null });
    for (const dueTime of rest) task.edit({ dueTime }, later);
    expect(task.dueVersion).toBe(expected);
  });
});
