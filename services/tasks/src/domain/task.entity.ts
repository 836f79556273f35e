import { defineEntity, p } from '@mikro-orm/core';
import { TaskStatus, type TaskPriority } from '#contract/tasks/v1/tasks';
import { dueAfter, toDue, type Due } from './due.ts';
import { cellExpression } from './task-cells.ts';
import { listIndexes } from './task-list-indexes.ts';
import { PriorityType, StatusType, openStatuses } from './task-enums.ts';
import { LabelsType } from './task-labels.ts';
import { illegalTransition } from './task.errors.ts';

const exists = 'delete_time is null';

export const TaskSchema = defineEntity({
  name: 'Task',
  tableName: 'tasks',
  properties: {
    id: p.uuid().primary(),
    ownerId: p.uuid(),
    assigneeId: p.uuid().strictNullable(),
    title: p.text(),
    description: p.text(),
    status: p.type(StatusType).$type<TaskStatus>(),
    priority: p.type(PriorityType).$type<TaskPriority>(),
    dueTime: p.datetime(3).strictNullable(),
    /** The day whose end in `dueZone` the due time is; both null when it is an instant of its own. */
    dueDate: p.date().strictNullable(),
    dueZone: p.text().strictNullable(),
    /** Grows whenever the due time changes; 0 = never had one. */
    dueVersion: p.bigint(),
    /** The due version that had been marked overdue when the task was closed last; while it is open, its due row knows. */
    overdueVersion: p.bigint().strictNullable(),
    labels: p.type(LabelsType).$type<string[]>(),
    externalId: p.text().strictNullable(),
    version: p.bigint(),
    createTime: p.datetime(3),
    updateTime: p.datetime(3),
    completeTime: p.datetime(3).strictNullable(),
    deleteTime: p.datetime(3).strictNullable(),
    /** When the row of a deleted task goes for good. */
    purgeTime: p.datetime(3).strictNullable(),
    /** Computed by PostgreSQL, for the indexes of lists. */
    cell: p.smallint().generated(cellExpression),
  },
  indexes: [
    { name: 'tasks_purge', properties: ['purgeTime'], where: 'purge_time is not null' },
    ...listIndexes,
  ],
  uniques: [{ name: 'tasks_external_id', properties: ['ownerId', 'externalId'], where: exists }],
});

export interface TaskDraft extends Due {
  title: string;
  description: string;
  status: TaskStatus;
  priority: TaskPriority;
  assigneeId: string | null;
  /** Sorted, without repetition. */
  labels: string[];
  externalId: string | null;
}

/** The fields to change; those left out stay as they are. */
export type TaskEdit = Partial<Omit<TaskDraft, 'externalId'>>;

export interface Person {
  userId: string;
  role: 'user' | 'admin';
}

const moves: Readonly<Record<string, readonly TaskStatus[]>> = {
  [TaskStatus.PENDING]: [TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED, TaskStatus.CANCELLED],
  [TaskStatus.IN_PROGRESS]: [TaskStatus.PENDING, TaskStatus.COMPLETED, TaskStatus.CANCELLED],
  [TaskStatus.COMPLETED]: [TaskStatus.PENDING],
  [TaskStatus.CANCELLED]: [TaskStatus.PENDING],
};

/** Opaque to clients, and different for every version. */
export function toEtag(version: bigint): string {
  return Buffer.from(`v${version}`).toString('base64url');
}

export class Task extends TaskSchema.class {
  static create(draft: TaskDraft, origin: { id: string; ownerId: string; now: Date }): Task {
    const { now, ...identity } = origin;
    const due = toDue(draft);
    return Object.assign(new Task(), draft, identity, {
      ...due,
      dueVersion: due.dueTime === null ? 0n : 1n,
      overdueVersion: null,
      version: 1n,
      createTime: now,
      updateTime: now,
      completeTime: draft.status === TaskStatus.COMPLETED ? now : null,
      deleteTime: null,
      purgeTime: null,
    });
  }

  isOpen(): boolean {
    return openStatuses.includes(this.status);
  }

  /** Its due time counts: it is open, exists and has one. */
  isWaitingForDueTime(): boolean {
    return this.isOpen() && this.dueTime !== null && this.deleteTime === null;
  }

  isOverdueAt(now: Date): boolean {
    return this.isWaitingForDueTime() && this.dueTime !== null && this.dueTime <= now;
  }

  isVisibleTo(person: Person): boolean {
    return this.isOwnedBy(person) || this.assigneeId === person.userId;
  }

  /** Administrators act as the owner of every task. */
  isOwnedBy(person: Person): boolean {
    return this.ownerId === person.userId || person.role === 'admin';
  }

  hasEtag(etag: string): boolean {
    return etag === toEtag(this.version);
  }

  /** Throws before anything has changed. */
  edit({ status, dueTime, dueDate, dueZone, ...rest }: TaskEdit, now: Date): void {
    const due = dueAfter(this, { dueTime, dueDate, dueZone });
    if (status !== undefined) this.moveTo(status, now);
    this.reschedule(due);
    Object.assign(this, rest);
    this.touch(now);
  }

  delete(now: Date, purgeTime: Date): void {
    this.deleteTime = now;
    this.purgeTime = purgeTime;
    this.touch(now);
  }

  undelete(now: Date): void {
    this.deleteTime = null;
    this.purgeTime = null;
    this.touch(now);
  }

  private moveTo(status: TaskStatus, now: Date): void {
    if (status === this.status) return;
    if (!moves[this.status]?.includes(status)) throw illegalTransition(this.id, this.status, status);
    this.status = status;
    this.completeTime = status === TaskStatus.COMPLETED ? now : null;
  }

  private reschedule({ dueTime, dueDate, dueZone }: Due): void {
    if (dueTime?.getTime() !== this.dueTime?.getTime()) this.dueVersion += 1n;
    Object.assign(this, { dueTime, dueDate, dueZone });
  }

  private touch(now: Date): void {
    this.version += 1n;
    this.updateTime = now;
  }
}

TaskSchema.setClass(Task);
