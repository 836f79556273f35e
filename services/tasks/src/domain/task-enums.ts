import { TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';

/** In the order of their numbers in the contract, which are also the numbers in the database. */
export const statuses = [
  TaskStatus.PENDING,
  TaskStatus.IN_PROGRESS,
  TaskStatus.COMPLETED,
  TaskStatus.CANCELLED,
] as const;
export const priorities = [TaskPriority.LOW, TaskPriority.MEDIUM, TaskPriority.HIGH, TaskPriority.URGENT] as const;

export const openStatuses: readonly TaskStatus[] = [TaskStatus.PENDING, TaskStatus.IN_PROGRESS];
