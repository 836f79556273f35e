import { crashPoint } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { mailOff } from '../domain/auth.errors.ts';
import type { MailWish } from '../domain/mail.repository.ts';

type Needs = Pick<AuthDeps, 'uow' | 'newId'> & { settings: Pick<AuthDeps['settings'], 'recovery'> };

/**
 * Records the wish for a mail. It knows nothing of accounts, so its work and its answer are the same for every e-mail;
 * the outbox worker looks for the account afterwards.
 */
export async function requestMail(
  { uow, newId, settings }: Needs,
  wish: Omit<MailWish, 'mailId'>,
): Promise<Record<never, never>> {
  if (!settings.recovery.sendsMail) throw mailOff();
  const mailId = newId();
  await uow.run(async ({ mails }) => {
    mails.wish({ mailId, ...wish });
    crashPoint(`request.before-commit.${wish.kind}`);
  });
  crashPoint(`request.after-commit.${wish.kind}`);
  return {};
}
