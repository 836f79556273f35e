import { PauseQueueRequest, PauseQueueResponse } from '#contract/scheduler/v1/jobs';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { queueChanged, queueNotFound } from '../../domain/jobs/job.errors.ts';
import { queueEtag } from '../../domain/jobs/paused-queue.entity.ts';
import { change, changesOf } from '../change.ts';

const changeOf = changesOf('PauseQueue', PauseQueueRequest, PauseQueueResponse);

type Deps = Pick<SchedulerDeps, 'uow' | 'queue'>;

/** Records the pause; every replica looks several times in the time that the contract allows (see lookForWork). */
export async function pauseQueue(
  deps: Deps,
  actor: UserActor,
  request: PauseQueueRequest,
): Promise<PauseQueueResponse> {
  const { queue, etag } = request;
  if (!deps.queue.names.includes(queue)) throw queueNotFound();
  return change(deps, actor, changeOf(request, { kind: 'queue', id: queue }), async ({ pausedQueues }) => {
    const pauseTime = await pausedQueues.lock(queue);
    if (etag !== '' && etag !== queueEtag(pauseTime)) throw queueChanged(queue);
    return { pauseTime: await pausedQueues.pause(queue, actor.userId) };
  });
}
