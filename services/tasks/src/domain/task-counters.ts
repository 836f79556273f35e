import type { CounterChange } from '#libs/events';
import type { TaskPriority, TaskStatus, TaskStats } from '#contract/tasks/v1/tasks';
import { cellCount as cellsPerRole, cellOf } from './task-cells.ts';
import { openStatuses, priorities, statuses } from './task-enums.ts';
import type { Task } from './task.entity.ts';

/*
 * The head of a person's stream counts that person's tasks: one cell for each status and priority of the tasks owned,
 * then the same cells of the tasks that are owned by others and assigned to this person.
 */
export const counterCount = 2 * cellsPerRole;

/** Where a task counts now; nowhere once it is deleted. */
export interface CountedCells {
  cells: { streamId: string; index: number }[];
}

export function countedCells(task: Task): CountedCells {
  if (task.deleteTime !== null) return { cells: [] };
  const cell = cellOf(task.status, task.priority);
  const cells = [{ streamId: task.ownerId, index: cell }];
  if (task.assigneeId !== null && task.assigneeId !== task.ownerId) cells.push({ streamId: task.assigneeId, index: cellsPerRole + cell });
  return { cells };
}

/** What moves a count from `before` to `after`; cells that stay the same are left out. */
export function counterChanges(before: CountedCells, after: CountedCells): CounterChange[] {
  const changes = new Map<string, CounterChange>();
  const add = ({ streamId, index }: { streamId: string; index: number }, by: number): void => {
    const key = `${streamId} ${index}`;
    changes.set(key, { streamId, index, by: (changes.get(key)?.by ?? 0) + by });
  };
  for (const cell of before.cells) add(cell, -1);
  for (const cell of after.cells) add(cell, 1);
  return [...changes.values()].filter((change) => change.by !== 0);
}

/** The statistics that the counters hold. `ownedOnly` leaves out what others have assigned. */
export function toStats(counters: readonly bigint[], overdue: bigint, ownedOnly: boolean): TaskStats {
  const used = ownedOnly ? counters.slice(0, cellsPerRole) : counters;
  const sum = (wantedStatuses: readonly TaskStatus[], wantedPriorities: readonly TaskPriority[] = priorities): bigint => {
    const wanted = new Set(wantedStatuses.flatMap((status) => wantedPriorities.map((priority) => cellOf(status, priority))));
    return used.reduce((total, count, index) => (wanted.has(index % cellsPerRole) ? total + count : total), 0n);
  };
  const [pending, inProgress, completed, cancelled] = statuses.map((status) => sum([status])) as [bigint, bigint, bigint, bigint];
  const [openLow, openMedium, openHigh, openUrgent] = priorities.map((priority) => sum(openStatuses, [priority])) as [bigint, bigint, bigint, bigint];
  const total = sum(statuses);
  return { total, pending, inProgress, completed, cancelled, overdue, openLow, openMedium, openHigh, openUrgent };
}
