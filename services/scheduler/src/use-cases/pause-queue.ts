import { PauseQueueRequest, PauseQueueResponse } from '#contract/scheduler/v1/jobs';
import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { queueNotFound } from '../domain/job.errors.ts';
import { recordAction } from './record-action.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'queue' | 'newId' | 'logger'>;

export interface QueueInput {
  queue: string;
  requestId: string;
}

/** Records the pause; every replica looks several times in the time that the contract allows (see followHolds). */
export async function pauseQueue(deps: Deps, actor: UserActor, { queue, requestId }: QueueInput): Promise<PauseQueueResponse> {
  if (!deps.queue.names.includes(queue)) throw queueNotFound();
  return deps.uow.run(
    async ({ queueHolds, adminActions }) => {
      const pauseTime = await queueHolds.hold(queue, actor.userId);
      await recordAction(deps, adminActions, actor, { action: 'PauseQueue', subject: queue });
      return { pauseTime };
    },
    once({ userId: actor.userId, method: 'PauseQueue', requestId }, { queue, requestId: '' }, PauseQueueRequest, PauseQueueResponse),
  );
}
