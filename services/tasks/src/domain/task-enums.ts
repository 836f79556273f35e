import { Type } from '@mikro-orm/core';
import {
  TaskPriority,
  TaskStatus,
  taskPriorityFromJSON,
  taskPriorityToNumber,
  taskStatusFromJSON,
  taskStatusToNumber,
} from '#contract/tasks/v1/tasks';

/** In the order of their numbers in the contract, which are also the numbers in the database. */
export const statuses = [TaskStatus.PENDING, TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED, TaskStatus.CANCELLED] as const;
export const priorities = [TaskPriority.LOW, TaskPriority.MEDIUM, TaskPriority.HIGH, TaskPriority.URGENT] as const;

export const openStatuses: readonly TaskStatus[] = [TaskStatus.PENDING, TaskStatus.IN_PROGRESS];

/** A smallint column that holds the contract's number. */
export class StatusType extends Type<TaskStatus, number> {
  override convertToDatabaseValue(value: TaskStatus | number): number {
    return typeof value === 'number' ? value : taskStatusToNumber(value);
  }
  override convertToJSValue(value: number): TaskStatus {
    return taskStatusFromJSON(value);
  }
  override getColumnType(): string {
    return 'smallint';
  }
}

export class PriorityType extends Type<TaskPriority, number> {
  override convertToDatabaseValue(value: TaskPriority | number): number {
    return typeof value === 'number' ? value : taskPriorityToNumber(value);
  }
  override convertToJSValue(value: number): TaskPriority {
    return taskPriorityFromJSON(value);
  }
  override getColumnType(): string {
    return 'smallint';
  }
}
