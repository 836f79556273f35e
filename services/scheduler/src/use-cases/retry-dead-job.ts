import { RetryDeadJobRequest, RetryDeadJobResponse } from '#contract/scheduler/v1/jobs';
import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { JobWork, Repositories, SchedulerDeps } from '../deps.ts';
import type { FiledLetter } from '../domain/dead-letter.repository.ts';
import type { JobEffect } from '../domain/job-effect.repository.ts';
import { deadJobNotFound, deadJobSettled, jobNotRunnable } from '../domain/job.errors.ts';
import { webhookNotEnabled } from '../domain/webhook.errors.ts';
import { toDeadJob, toJobEffects } from './job-messages.ts';
import { recordAction } from './record-action.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'logger' | 'workOf' | 'wakeDispatch'>;

export interface DeadJobInput {
  deadJobId: string;
  requestId: string;
}

/**
 * Makes what the dead job was for pending again: the dispatcher makes a job for whatever is pending, so that this
 * survives the loss of Redis like everything else.
 */
export async function retryDeadJob(deps: Deps, actor: UserActor, { deadJobId, requestId }: DeadJobInput): Promise<RetryDeadJobResponse> {
  const response = await deps.uow.run(
    async (repositories) => {
      const letter = await settleLetter(repositories, deadJobId, 'retried', actor);
      const work = deps.workOf(letter);
      if (work === undefined) throw jobNotRunnable(deadJobId);
      const effects = await revive(repositories, work, deadJobId);
      await recordAction(deps, repositories.adminActions, actor, { action: 'RetryDeadJob', subject: deadJobId });
      return { deadJob: toDeadJob(letter), effects: toJobEffects(effects) };
    },
    once({ userId: actor.userId, method: 'RetryDeadJob', requestId }, { deadJobId, requestId: '' }, RetryDeadJobRequest, RetryDeadJobResponse),
  );
  deps.wakeDispatch();
  return response;
}

/** Throws when there is no such letter, or somebody has decided about it already. */
export async function settleLetter(
  { deadLetters }: Pick<Repositories, 'deadLetters'>,
  deadJobId: string,
  state: 'retried' | 'discarded',
  actor: UserActor,
): Promise<FiledLetter> {
  const letter = await deadLetters.settle(deadJobId, state, actor.userId);
  if (letter !== undefined) return letter;
  throw (await deadLetters.exists(deadJobId)) ? deadJobSettled(deadJobId) : deadJobNotFound(deadJobId);
}

async function revive({ jobEffects, webhooks }: Pick<Repositories, 'jobEffects' | 'webhooks'>, work: JobWork, deadJobId: string): Promise<JobEffect[]> {
  if ('runId' in work) return jobEffects.reviveRun(work.runId);
  if ('notificationIds' in work) return jobEffects.reviveNotifications(work.notificationIds);
  if (work.webhook === undefined) throw jobNotRunnable(deadJobId);
  const { webhookId, deliveryId } = work.webhook;
  return deliveryId === undefined ? jobEffects.wakeWebhook(webhookId) : reviveDelivery(webhooks, webhookId, deliveryId);
}

/** Nothing is sent to a disabled webhook, so the letter stays open until its owner has enabled it; what is gone has no effect. */
async function reviveDelivery(webhooks: Repositories['webhooks'], webhookId: string, deliveryId: string): Promise<JobEffect[]> {
  const state = await webhooks.stateOf(webhookId);
  if (state === 'disabled') throw webhookNotEnabled(webhookId);
  const revived = state === 'enabled' && (await webhooks.redeliver(webhookId, deliveryId));
  return revived ? [{ kind: 'webhook-delivery', id: deliveryId, state: 'pending' }] : [];
}
