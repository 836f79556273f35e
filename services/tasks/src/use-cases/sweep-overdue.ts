import type { SweepOverdueResponse } from '#contract/tasks/v1/tasks';
import { crashPoint } from '#libs/runtime';
import type { TasksDeps } from '../deps.ts';

export interface SweepInput {
  batchSize: number;
  fromDueTime: Date | undefined;
}

/** One batch: what it takes, marks and records is one transaction, so a due version is announced once, whoever sweeps. */
export async function sweepOverdue({ uow }: Pick<TasksDeps, 'uow'>, { batchSize, fromDueTime }: SweepInput): Promise<SweepOverdueResponse> {
  const response = await uow.run(async ({ sweep, log }) => {
    const { overdue, full, next } = await sweep.markOverdue(batchSize, fromDueTime);
    if (overdue.length > 0) {
      await log.recordOverdue(overdue);
      crashPoint('sweep.before-commit');
    }
    const more = full && overdue.length > 0;
    return { marked: overdue.length, more, oldestDueTime: overdue[0]?.task.dueTime, nextDueTime: more ? next : undefined };
  });
  if (response.marked > 0) crashPoint('sweep.after-commit');
  return response;
}
