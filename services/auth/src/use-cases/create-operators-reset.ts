import type { UnitOfWork } from '#libs/db';
import { toMailbox } from '#libs/text';
import type { AuthDeps, Repositories } from '../deps.ts';
import { accountDisabled } from '../domain/auth.errors.ts';
import { ofAccount } from './audited.ts';
import { makeAccountToken } from './make-account-token.ts';

export interface OperatorsResetNeeds extends Pick<AuthDeps, 'oneTimeTokens' | 'clock' | 'newId'> {
  uow: UnitOfWork<Pick<Repositories, 'audit' | 'accounts' | 'accountTokens'>>;
  reader: Pick<AuthDeps['reader'], 'findAccountByEmail'>;
  settings: Pick<AuthDeps['settings'], 'recovery'>;
}

interface Input {
  email: string;
  /** Of the configured administrator. */
  administratorEmail: string | undefined;
}

export interface OperatorsReset {
  token: string;
  expireTime: Date;
  restoresAdministrator: boolean;
}

/**
 * Makes a token that sets a new password, for whoever operates the server; undefined when the e-mail has no account.
 * That of the configured administrator also makes the account an enabled administrator's again. It does so when it is
 * used and not before, since until then somebody else may know the account's password.
 */
export async function createOperatorsReset(
  deps: OperatorsResetNeeds,
  { email, administratorEmail }: Input,
): Promise<OperatorsReset | undefined> {
  const { uow, reader } = deps;
  const found = await reader.findAccountByEmail(email);
  if (found === undefined) return undefined;
  const restoresAdministrator =
    administratorEmail !== undefined && toMailbox(found.email) === toMailbox(administratorEmail);
  const { token, valuesFor } = makeAccountToken(deps, 'password_reset');
  const values = await uow.run(async ({ audit, accounts, accountTokens }) => {
    const account = await accounts.lock(found.id);
    if (account === undefined) return undefined;
    account.requirePerson();
    if (!account.enabled && !restoresAdministrator) throw accountDisabled(account.id);
    const made = valuesFor(account, { mailed: false, restoresAdministrator });
    await accountTokens.replace(made);
    const details = { restores_administrator: String(restoresAdministrator) };
    const actor = { kind: 'operator', id: '' } as const;
    await audit.add({ action: 'password_reset_created', actor, ...ofAccount(account), details });
    return made;
  });
  if (values === undefined) return undefined;
  return { token, expireTime: values.expireTime, restoresAdministrator };
}
