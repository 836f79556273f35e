import { crashPoint } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import type { MailWish } from '../domain/mail.repository.ts';
import { ofAccount } from './audited.ts';
import { mailToken } from './mail-token.ts';
import { makeAccountToken } from './make-account-token.ts';

type Needs = Pick<AuthDeps, 'uow' | 'reader' | 'oneTimeTokens' | 'clock' | 'newId' | 'settings'>;

/**
 * Makes the token and the mail that somebody wished for, unless the e-mail has no account that may have them. Carrying
 * out a wish again changes nothing. The mail goes to the e-mail as the account has it: what was asked for may be another
 * spelling, which another mailbox might have at some mail server.
 */
export async function carryOutWish(deps: Needs, { mailId, kind, email }: MailWish): Promise<void> {
  const { uow, reader, settings } = deps;
  const found = await reader.findAccountByEmail(email);
  if (found === undefined) return;
  const token = makeAccountToken(deps, kind);
  await uow.run(async (repositories) => {
    const account = await repositories.accounts.lock(found.id);
    if (account === undefined || !mayHave(account, kind) || (await repositories.mails.has(mailId))) return;
    const values = token.valuesFor(account, { mailed: true });
    const { mailsPerHour } = settings.recovery;
    const isSent = await mailToken(repositories, values, { mailId, mailsPerHour });
    const refusal = isSent ? {} : { refusal: 'RATE_LIMITED' };
    await repositories.audit.add({ action: `${kind}_mailed`, ...ofAccount(account), ...refusal });
    crashPoint(`wish.before-commit.${kind}`);
  });
  crashPoint(`wish.after-commit.${kind}`);
}

function mayHave(account: Account, kind: MailWish['kind']): boolean {
  if (!account.enabled || account.serviceAccount) return false;
  return kind === 'password_reset' || account.emailVerifyTime === null;
}
