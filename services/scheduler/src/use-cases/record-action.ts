import { currentContext, type UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import type { AdminActionRepository } from '../domain/admin-action.repository.ts';

interface Action {
  /** The method of the contract. */
  action: string;
  subject: string;
}

/** Notes what an administrator does, for good with the transaction that does it, and in the log. */
export async function recordAction(
  { newId, logger }: Pick<SchedulerDeps, 'newId' | 'logger'>,
  adminActions: AdminActionRepository,
  actor: UserActor,
  { action, subject }: Action,
): Promise<void> {
  const callId = currentContext()?.callId ?? '';
  await adminActions.add({ id: newId(), actorId: actor.userId, action, subject, callId });
  logger.info({ actorId: actor.userId, action, subject, callId }, 'administrator acted');
}
