import type { SweepOverdueResponse } from '#contract/tasks/v1/tasks';
import { crashPoint } from '#libs/runtime';
import type { TasksDeps } from '../deps.ts';

/** One batch: what it takes, marks and records is one transaction, so a due version is announced once, whoever sweeps. */
export async function sweepOverdue({ uow }: Pick<TasksDeps, 'uow'>, batchSize: number): Promise<SweepOverdueResponse> {
  const response = await uow.run(async ({ sweep, log }) => {
    const { overdue, full } = await sweep.markOverdue(batchSize);
    if (overdue.length > 0) {
      await log.recordOverdue(overdue);
      crashPoint('sweep.before-commit');
    }
    return { marked: overdue.length, more: full && overdue.length > 0, oldestDueTime: overdue[0]?.task.dueTime };
  });
  if (response.marked > 0) crashPoint('sweep.after-commit');
  return response;
}
