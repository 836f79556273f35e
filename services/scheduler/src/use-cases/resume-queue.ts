import { ResumeQueueRequest, ResumeQueueResponse } from '#contract/scheduler/v1/jobs';
import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { queueNotFound } from '../domain/job.errors.ts';
import type { QueueInput } from './pause-queue.ts';
import { recordAction } from './record-action.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'queue' | 'newId' | 'logger'>;

export async function resumeQueue(deps: Deps, actor: UserActor, { queue, requestId }: QueueInput): Promise<ResumeQueueResponse> {
  if (!deps.queue.names.includes(queue)) throw queueNotFound();
  return deps.uow.run(
    async ({ queueHolds, adminActions }) => {
      const wasPaused = await queueHolds.release(queue);
      await recordAction(deps, adminActions, actor, { action: 'ResumeQueue', subject: queue });
      return { wasPaused };
    },
    once({ userId: actor.userId, method: 'ResumeQueue', requestId }, { queue, requestId: '' }, ResumeQueueRequest, ResumeQueueResponse),
  );
}
