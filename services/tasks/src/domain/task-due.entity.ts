import { defineEntity, p } from '@mikro-orm/core';

/**
 * One row for each open task with a due time. Invariant: a row is written only by a transaction that holds the lock of
 * its row in `tasks`; that one lock orders users' changes and sweeps, so neither waits for the other in a circle.
 */
export const TaskDue = defineEntity({
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
    // Counting what is overdue and not marked yet; an owner's has an index above.
    { name: 'task_due_unmarked_assigned', properties: ['assigneeId', 'dueTime'], where: 'overdue_time is null and assignee_id <> owner_id' },
  ],
});
