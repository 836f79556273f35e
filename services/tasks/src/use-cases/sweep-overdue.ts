import type { SweepOverdueResponse } from '#contract/tasks/v1/tasks';
import { crashPoint } from '#libs/runtime';
import type { TasksDeps } from '../deps.ts';

export interface SweepInput {
  batchSize: number;
  dueStartTime: Date | undefined;
}

/** Sweeps one batch in one transaction, so that each due version is announced once, even by parallel sweeps. */
export async function sweepOverdue(
  { uow }: Pick<TasksDeps, 'uow'>,
  { batchSize, dueStartTime }: SweepInput,
): Promise<SweepOverdueResponse> {
  const response = await uow.run(async ({ sweep }) => {
    const { overdue, more, next } = await sweep.markOverdue(batchSize, dueStartTime);
    if (overdue.length > 0) crashPoint('sweep.before-commit');
    return {
      markedCount: overdue.length,
      more,
      oldestDueTime: overdue[0]?.task.effectiveDueTime,
      nextDueTime: more ? next : undefined,
    };
  });
  if (response.markedCount > 0) crashPoint('sweep.after-commit');
  return response;
}
