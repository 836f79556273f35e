import type { CounterChange } from '#libs/events';
import type { TaskPriority, TaskStatus, TaskStats } from '#contract/tasks/v1/tasks';
import { bucketCount as bucketsPerRole, bucketOf } from './task-buckets.ts';
import { openStatuses, priorities, statuses } from './task-enums.ts';
import type { Task } from './task.entity.ts';

/*
 * The head of a person's stream counts the person's tasks, in projects too: one counter for each bucket of the tasks that the person
 * owns, then one for each bucket of the tasks that others own and that are assigned to the person. The head of a project's stream
 * counts the project's tasks in the first of them.
 */
export const counterCount = 2 * bucketsPerRole;

/** The counters that include a task; none once it is deleted. */
export interface CountedBuckets {
  buckets: { streamId: string; index: number }[];
}

export function countedBuckets(task: Task): CountedBuckets {
  if (task.deleteTime !== null) return { buckets: [] };
  const bucket = bucketOf(task.status, task.priority);
  const buckets = [{ streamId: task.ownerId, index: bucket }];
  if (task.assigneeId !== null && task.assigneeId !== task.ownerId)
    buckets.push({ streamId: task.assigneeId, index: bucketsPerRole + bucket });
  if (task.projectId !== null) buckets.push({ streamId: task.projectId, index: bucket });
  return { buckets };
}

/** The changes of counters from `before` to `after`, without those that cancel out. */
export function counterChanges(before: CountedBuckets, after: CountedBuckets): CounterChange[] {
  const changes = new Map<string, CounterChange>();
  const add = ({ streamId, index }: { streamId: string; index: number }, by: number): void => {
    const key = `${streamId} ${index}`;
    changes.set(key, { streamId, index, by: (changes.get(key)?.by ?? 0) + by });
  };
  for (const bucket of before.buckets) add(bucket, -1);
  for (const bucket of after.buckets) add(bucket, 1);
  return [...changes.values()].filter((change) => change.by !== 0);
}

/** Tasks of one bucket that are counted and not shown. */
export interface HiddenTasks {
  /** As the column has it: from 1 on. */
  bucket: number;
  owned: boolean;
  count: number;
  overdue: number;
}

export function withoutHidden(counters: readonly bigint[], hidden: readonly HiddenTasks[]): bigint[] {
  const left = [...counters];
  for (const { bucket, owned, count } of hidden) {
    const index = (owned ? 0 : bucketsPerRole) + bucket - 1;
    left[index] = (left[index] ?? 0n) - BigInt(count);
  }
  return left;
}

/** Sums up counters. `ownedOnly` leaves out tasks that others assigned. */
export function toStats(counters: readonly bigint[], overdue: bigint, ownedOnly: boolean): TaskStats {
  const used = ownedOnly ? counters.slice(0, bucketsPerRole) : counters;
  const sum = (
    wantedStatuses: readonly TaskStatus[],
    wantedPriorities: readonly TaskPriority[] = priorities,
  ): bigint => {
    const wanted = new Set(
      wantedStatuses.flatMap((status) => wantedPriorities.map((priority) => bucketOf(status, priority))),
    );
    return used.reduce((total, count, index) => (wanted.has(index % bucketsPerRole) ? total + count : total), 0n);
  };
  const [pendingCount, inProgressCount, completedCount, cancelledCount] = statuses.map((status) => sum([status])) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const [openLowCount, openMediumCount, openHighCount, openUrgentCount] = priorities.map((priority) =>
    sum(openStatuses, [priority]),
  ) as [bigint, bigint, bigint, bigint];
  return {
    totalCount: sum(statuses),
    pendingCount,
    inProgressCount,
    completedCount,
    cancelledCount,
    overdueCount: overdue,
    openLowCount,
    openMediumCount,
    openHighCount,
    openUrgentCount,
  };
}
