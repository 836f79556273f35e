import { defineEntityOf } from '#libs/db';
import { TaskStatus } from '#contract/tasks/v1/tasks';
import { dueAfter, toDue, type Due } from './due.ts';
import { openStatuses } from './task-enums.ts';
import { listIndexes } from './task-list-indexes.ts';
import { taskTable, toEtag, type TaskDraft, type TaskEdit, type TaskValues } from './task.columns.ts';
import { illegalTransition } from './task.errors.ts';

export const TaskSchema = defineEntityOf(taskTable, {
  name: 'Task',
  indexes: [{ name: 'tasks_purge', properties: ['purgeTime'], where: 'purge_time is not null' }, ...listIndexes],
  uniques: [
    { name: 'tasks_external_id', properties: ['ownerId', 'externalId'], where: 'delete_time is null' },
    { name: 'tasks_number', properties: ['projectId', 'number'], where: 'project_id is not null' },
  ],
});

/** What a task is called in a project. */
export interface PlaceInProject {
  number: bigint;
  key: string;
  position: string;
}

const moves: Readonly<Record<string, readonly TaskStatus[]>> = {
  [TaskStatus.PENDING]: [TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED, TaskStatus.CANCELLED],
  [TaskStatus.IN_PROGRESS]: [TaskStatus.PENDING, TaskStatus.COMPLETED, TaskStatus.CANCELLED],
  [TaskStatus.COMPLETED]: [TaskStatus.PENDING],
  [TaskStatus.CANCELLED]: [TaskStatus.PENDING],
};

export class Task extends TaskSchema.class {
  static of(values: TaskValues): Task {
    return Object.assign(new Task(), values);
  }

  /** `place`: in the draft's project. */
  static create(
    draft: TaskDraft,
    origin: { id: string; ownerId: string; now: Date },
    place: PlaceInProject | undefined = undefined,
  ): Task {
    const { now, ...identity } = origin;
    const { dueTime, dueDay, ...fields } = draft;
    const due = toDue({ dueTime, dueDay });
    return Task.of({
      ...fields,
      ...identity,
      ...due,
      number: place?.number ?? null,
      key: place?.key ?? null,
      position: place?.position ?? null,
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

  /** It has a due time, is open and not deleted. */
  isWaitingForDueTime(): boolean {
    return this.isOpen() && this.dueTime !== null && this.deleteTime === null;
  }

  isOverdueAt(now: Date): boolean {
    return this.isWaitingForDueTime() && this.dueTime !== null && this.dueTime <= now;
  }

  hasEtag(etag: string): boolean {
    return etag === toEtag(this.version);
  }

  /** Throws before it changes anything. */
  edit({ status, dueTime, dueDay, ...rest }: TaskEdit, now: Date): void {
    const due = dueAfter(this, { dueTime, dueDay });
    if (status !== undefined) this.changeStatus(status, now);
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

  /** Gives it to another owner. Nobody but the former owner's programs knows its external id. */
  passTo(ownerId: string, now: Date): void {
    if (this.assigneeId === this.ownerId) this.assigneeId = null;
    this.ownerId = ownerId;
    this.externalId = null;
    this.touch(now);
  }

  /** Null: into none. */
  moveInto(projectId: string | null, place: PlaceInProject | undefined, now: Date): void {
    this.projectId = projectId;
    this.number = place?.number ?? null;
    this.key = place?.key ?? null;
    this.position = place?.position ?? null;
    this.touch(now);
  }

  /** In the order by hand of its project. */
  putAt(position: string, now: Date): void {
    this.position = position;
    this.touch(now);
  }

  private changeStatus(status: TaskStatus, now: Date): void {
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
