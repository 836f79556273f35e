import type { SchedulerDeps } from '../../deps.ts';
import type { DeadJob } from '../../domain/jobs/queue.port.ts';

/** Keeps a dead job and ends its rows in one transaction, so that no other job is made for them. */
export async function keepDeadJob(
  { uow, newId, jobWork }: Pick<SchedulerDeps, 'uow' | 'newId' | 'jobWork'>,
  job: DeadJob,
): Promise<void> {
  await uow.run(async (repositories) => {
    const { attempts: attemptCount, callId: requestId, ...rest } = job;
    await repositories.deadLetters.add({ ...rest, id: newId(), attemptCount, requestId });
    await jobWork.find(({ name }) => name === job.name)?.end(repositories, job);
  });
}
