import { taskPriorityToNumber, taskStatusToNumber, type TaskPriority, type TaskStatus } from '#contract/tasks/v1/tasks';
import { priorities, statuses } from './task-enums.ts';

/*
 * A cell is a status together with a priority. Statistics count tasks by cells, and the column `cell`, which PostgreSQL
 * computes, is the beginning of every index of a list: 1 to 16, and 16 more for a deleted task.
 */
export const cellCount = statuses.length * priorities.length;

/** From 0 on. */
export function cellOf(status: TaskStatus, priority: TaskPriority): number {
  return (taskStatusToNumber(status) - 1) * priorities.length + taskPriorityToNumber(priority) - 1;
}

/** As PostgreSQL writes it down. */
export const cellExpression = `((((((status - 1) * 4) + priority) + CASE WHEN (delete_time IS NULL) THEN 0 ELSE 16 END))::smallint) stored`;

/** The column's values for these statuses and priorities, those of deleted tasks when asked. */
export function cellNumbers(wantedStatuses: readonly TaskStatus[], wantedPriorities: readonly TaskPriority[], deleted: boolean): number[] {
  const numbers = wantedStatuses.flatMap((status) => wantedPriorities.map((priority) => cellOf(status, priority) + 1));
  return deleted ? [...numbers, ...numbers.map((cell) => cell + cellCount)] : numbers;
}

export const isDeletedCell = (cell: number): boolean => cell > cellCount;

/** The number of the priority of a column's value. */
export const priorityOfCell = (cell: number): number => ((cell - 1) % priorities.length) + 1;
