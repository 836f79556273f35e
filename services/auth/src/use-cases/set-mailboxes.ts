import { walkPages } from '#libs/db';
import { AppError } from '#libs/errors';
import type { AuthDeps } from '../deps.ts';

const batchSize = 500;

type Needs = Pick<AuthDeps, 'uow' | 'logger'>;

/**
 * Fills in the mailboxes of accounts that an earlier release stored. Of two accounts with one mailbox the second stays
 * without: both can sign in, each with its own spelling, until one of them changes its e-mail.
 */
export async function setMailboxes(deps: Needs): Promise<void> {
  await walkPages(batchSize, async (afterId, limit) => {
    const batch = await deps.uow.run(({ accounts }) => accounts.listForeignEmails(afterId, limit));
    for (const account of batch) if (!account.hasMailbox()) await setMailbox(deps, account.id);
    return batch;
  });
}

async function setMailbox({ uow, logger }: Needs, accountId: string): Promise<void> {
  try {
    await uow.run(async ({ accounts }) => (await accounts.lock(accountId))?.setMailbox());
  } catch (error) {
    if (!(error instanceof AppError && error.reason === 'EMAIL_TAKEN')) throw error;
    logger.warn(
      { audit: 'mailbox_shared', accountId },
      'another account has the same mailbox; both can sign in by their own spelling',
    );
  }
}
