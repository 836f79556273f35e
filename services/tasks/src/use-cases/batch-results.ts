import type { AppError } from '#libs/errors';
import type { Task, TaskResult } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import type { Outcome } from '../domain/batch.ts';

/** What became of the members of a batch, each at its index. */
export function toResults<T>(outcomes: readonly Outcome<T>[], toTask: (value: T) => Task | undefined, toStatus: TasksDeps['toStatus']): TaskResult[] {
  const fail = (error: AppError): TaskResult => ({ task: undefined, error: toStatus(error) });
  return outcomes.map((outcome) => ('error' in outcome ? fail(outcome.error) : { task: toTask(outcome.value), error: undefined }));
}
