import type { Task, TaskResult } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import type { Outcome } from '../domain/batch.ts';

/** The results of a batch, each at the index of its member. */
export function toResults<T>(
  outcomes: readonly Outcome<T>[],
  toTask: (value: T) => Task | undefined,
  toStatus: TasksDeps['toStatus'],
): TaskResult[] {
  return outcomes.map((outcome) => {
    if ('error' in outcome) return { result: { $case: 'error', value: toStatus(outcome.error) } };
    const task = toTask(outcome.value);
    return { result: task && { $case: 'task', value: task } };
  });
}
