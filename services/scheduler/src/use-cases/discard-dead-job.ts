import { DiscardDeadJobRequest, DiscardDeadJobResponse } from '#contract/scheduler/v1/jobs';
import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { toDeadJob } from './job-messages.ts';
import { recordAction } from './record-action.ts';
import { settleLetter, type DeadJobInput } from './retry-dead-job.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'logger'>;

/** What it was for stays dead; the letter is kept for its time. */
export async function discardDeadJob(deps: Deps, actor: UserActor, { deadJobId, requestId }: DeadJobInput): Promise<DiscardDeadJobResponse> {
  return deps.uow.run(
    async (repositories) => {
      const letter = await settleLetter(repositories, deadJobId, 'discarded', actor);
      await recordAction(deps, repositories.adminActions, actor, { action: 'DiscardDeadJob', subject: deadJobId });
      return { deadJob: toDeadJob(letter) };
    },
    once({ userId: actor.userId, method: 'DiscardDeadJob', requestId }, { deadJobId, requestId: '' }, DiscardDeadJobRequest, DiscardDeadJobResponse),
  );
}
