import { DiscardDeadJobRequest, DiscardDeadJobResponse } from '#contract/scheduler/v1/jobs';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { toDeadJob } from '../../domain/jobs/job.messages.ts';
import { change, changesOf } from '../change.ts';
import { closeDeadLetter } from './retry-dead-job.ts';

const changeOf = changesOf('DiscardDeadJob', DiscardDeadJobRequest, DiscardDeadJobResponse);

type Deps = Pick<SchedulerDeps, 'uow'>;

/** The rows of the job stay dead; the dead letter is kept for its retention. */
export async function discardDeadJob(
  deps: Deps,
  actor: UserActor,
  request: DiscardDeadJobRequest,
): Promise<DiscardDeadJobResponse> {
  const { deadJobId } = request;
  return change(deps, actor, changeOf(request, { kind: 'dead_job', id: deadJobId }), async (repositories) => ({
    deadJob: toDeadJob(await closeDeadLetter(repositories, deadJobId, 'discarded', actor)),
  }));
}
