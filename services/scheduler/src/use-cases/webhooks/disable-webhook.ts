import type { Repositories, SchedulerDeps } from '../../deps.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'mail'>;

/** Drops what waits and notifies the owner, in the inbox and, if the owner wants it, by mail. */
export async function disableWebhook({ uow, mail }: Deps, webhookId: string, reason: string): Promise<void> {
  await uow.run((repositories) => disableIn(repositories, mail !== undefined, { webhookId, reason }));
}

/** The same in a transaction. */
export async function disableIn(
  { webhookRuns, mails }: Pick<Repositories, 'webhookRuns' | 'mails'>,
  mailsOn: boolean,
  { webhookId, reason }: { webhookId: string; reason: string },
): Promise<void> {
  const notificationId = await webhookRuns.disable(webhookId, reason);
  // Whether its owner wants mails is looked up when it is sent.
  if (mailsOn && notificationId !== undefined) await mails.queue([notificationId], 0);
}
