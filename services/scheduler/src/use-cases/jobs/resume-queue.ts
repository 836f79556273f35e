import { ResumeQueueRequest, ResumeQueueResponse } from '#contract/scheduler/v1/jobs';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { queueChanged, queueNotFound } from '../../domain/jobs/job.errors.ts';
import { queueEtag } from '../../domain/jobs/paused-queue.entity.ts';
import { change, changesOf } from '../change.ts';

const changeOf = changesOf('ResumeQueue', ResumeQueueRequest, ResumeQueueResponse);

type Deps = Pick<SchedulerDeps, 'uow' | 'queue'>;

export async function resumeQueue(
  deps: Deps,
  actor: UserActor,
  request: ResumeQueueRequest,
): Promise<ResumeQueueResponse> {
  const { queue, etag } = request;
  if (!deps.queue.names.includes(queue)) throw queueNotFound();
  return change(deps, actor, changeOf(request, { kind: 'queue', id: queue }), async ({ pausedQueues }) => {
    const pauseTime = await pausedQueues.lock(queue);
    if (etag !== '' && etag !== queueEtag(pauseTime)) throw queueChanged(queue);
    return { wasPaused: await pausedQueues.resume(queue) };
  });
}
