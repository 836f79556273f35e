import { defineEntity, p } from '@mikro-orm/core';
import type { Task } from './task.entity.ts';

export const TaskDueSchema = defineEntity({
  name: 'TaskDue',
  tableName: 'task_due',
  properties: {
    taskId: p.uuid().primary(),
    ownerId: p.uuid(),
    assigneeId: p.uuid().strictNullable(),
    dueTime: p.datetime(3),
    dueVersion: p.bigint(),
    /** When the sweep marked this due version; null = not yet. */
    overdueTime: p.datetime(3).strictNullable(),
  },
  indexes: [
    // The claim: oldest first, and the oldest of one owner.
    { name: 'task_due_unmarked', properties: ['dueTime', 'taskId'], where: 'overdue_time is null' },
    { name: 'task_due_unmarked_by_owner', properties: ['ownerId', 'dueTime', 'taskId'], where: 'overdue_time is null' },
    // Counting what is overdue now.
    { name: 'task_due_owned', properties: ['ownerId', 'dueTime'] },
    { name: 'task_due_assigned', properties: ['assigneeId', 'dueTime'], where: 'assignee_id <> owner_id' },
  ],
});

/**
 * One row for each open task with a due time. Invariant: a row is written only by a transaction that holds the lock of
 * its row in `tasks`; that one lock orders users' changes and sweeps, so neither waits for the other in a circle.
 */
export class TaskDue extends TaskDueSchema.class {
  static of(task: Task, now: Date): TaskDue {
    const due = new TaskDue();
    due.taskId = task.id;
    due.follow(task);
    // Reopened with the due version that had been marked before it was closed: once for each due version, for ever.
    if (task.overdueVersion === task.dueVersion) due.overdueTime = now;
    return due;
  }

  follow(task: Task): void {
    if (task.dueTime === null) throw new Error('a due row needs a due time');
    if (this.dueVersion !== task.dueVersion) this.overdueTime = null;
    this.ownerId = task.ownerId;
    this.assigneeId = task.assigneeId;
    this.dueTime = task.dueTime;
    this.dueVersion = task.dueVersion;
  }

  /** The task is closed and this row goes: the task remembers whether its due version had been marked. */
  leave(task: Task): void {
    if (this.overdueTime !== null) task.overdueVersion = this.dueVersion;
  }
}

TaskDueSchema.setClass(TaskDue);
