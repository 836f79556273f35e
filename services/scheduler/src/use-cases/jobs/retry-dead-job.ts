import { RetryDeadJobRequest, RetryDeadJobResponse } from '#contract/scheduler/v1/jobs';
import type { UserActor } from '#libs/runtime';
import type { Repositories, SchedulerDeps } from '../../deps.ts';
import type { DeadLetterValues } from '../../domain/jobs/dead-letter.columns.ts';
import { deadJobNotFound, deadJobResolved, jobNotRunnable } from '../../domain/jobs/job.errors.ts';
import { toDeadJob, toJobEffects } from '../../domain/jobs/job.messages.ts';
import { change, changesOf } from '../change.ts';

const changeOf = changesOf('RetryDeadJob', RetryDeadJobRequest, RetryDeadJobResponse);

type Deps = Pick<SchedulerDeps, 'uow' | 'jobWork' | 'notifyDispatcher'>;

/** Makes the rows of the dead job pending again. The dispatcher makes a job for pending rows, so this survives a loss of Redis. */
export async function retryDeadJob(
  deps: Deps,
  actor: UserActor,
  request: RetryDeadJobRequest,
): Promise<RetryDeadJobResponse> {
  const { deadJobId, validateOnly } = request;
  const response = await change(
    deps,
    actor,
    changeOf(request, { kind: 'dead_job', id: deadJobId }),
    async (repositories) => {
      const deadLetter = await closeDeadLetter(repositories, deadJobId, 'retried', actor);
      const work = deps.jobWork.find(({ name }) => name === deadLetter.name);
      const effects = await work?.revive(repositories, deadLetter.payload);
      if (effects === undefined) throw jobNotRunnable(deadJobId);
      return { deadJob: toDeadJob(deadLetter), effects: toJobEffects(effects) };
    },
  );
  if (!validateOnly) deps.notifyDispatcher();
  return response;
}

/** Throws when there is no such dead letter, or it was retried or discarded before. */
export async function closeDeadLetter(
  { deadLetters }: Pick<Repositories, 'deadLetters'>,
  deadJobId: string,
  state: 'retried' | 'discarded',
  actor: UserActor,
): Promise<DeadLetterValues> {
  const deadLetter = await deadLetters.close(deadJobId, state, actor.userId);
  if (deadLetter !== undefined) return deadLetter;
  throw (await deadLetters.exists(deadJobId)) ? deadJobResolved(deadJobId) : deadJobNotFound(deadJobId);
}
