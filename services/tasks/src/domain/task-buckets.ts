import { taskPriorityToNumber, taskStatusToNumber, type TaskPriority, type TaskStatus } from '#contract/tasks/v1/tasks';
import { priorities, statuses } from './task-enums.ts';

/*
 * A bucket is a status together with a priority. Statistics count tasks by buckets. The computed column `bucket` is part of
 * every index of a list: 1 to 16, and 16 more for a deleted task. Its name in PostgreSQL is `cell`.
 */
export const bucketCount = statuses.length * priorities.length;

/** From 0 on. */
export function bucketOf(status: TaskStatus, priority: TaskPriority): number {
  return (taskStatusToNumber(status) - 1) * priorities.length + taskPriorityToNumber(priority) - 1;
}

/** `bucketOf` in SQL, from 1 on, in the spelling that PostgreSQL gives an expression. */
export const bucketExpression = `((((((status - 1) * ${priorities.length}) + priority) + CASE WHEN (delete_time IS NULL) THEN 0 ELSE ${bucketCount} END))::smallint) stored`;

/** The column's values for these statuses and priorities, those of deleted tasks when asked. */
export function bucketNumbers(
  wantedStatuses: readonly TaskStatus[],
  wantedPriorities: readonly TaskPriority[],
  deleted: boolean,
): number[] {
  const numbers = wantedStatuses.flatMap((status) =>
    wantedPriorities.map((priority) => bucketOf(status, priority) + 1),
  );
  return deleted ? [...numbers, ...numbers.map((bucket) => bucket + bucketCount)] : numbers;
}

export const isDeletedBucket = (bucket: number): boolean => bucket > bucketCount;

/** The number of the priority of a column's value. */
export const priorityOfBucket = (bucket: number): number => ((bucket - 1) % priorities.length) + 1;
