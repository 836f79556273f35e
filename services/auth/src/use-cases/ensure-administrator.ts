import { AppError } from '#libs/errors';
import type { AuthDeps } from '../deps.ts';
import { Account } from '../domain/account.entity.ts';
import { ofAccount } from './audited.ts';

type Needs = Pick<AuthDeps, 'uow' | 'reader' | 'passwords' | 'clock' | 'newId' | 'logger'>;

/**
 * Creates the first administrator unless the e-mail has an account. An existing account stays as it is: its password is
 * its owner's by now, and anybody may have registered the e-mail before; promoting it would make them administrator.
 */
export async function ensureAdministrator(
  deps: Needs,
  credentials: { email: string; password: string },
): Promise<void> {
  const { uow, reader, passwords, clock, newId, logger } = deps;
  const existing = await reader.findAccountByEmail(credentials.email);
  if (existing !== undefined) return report(logger, existing);

  const passwordHash = await passwords.hash(credentials.password);
  const values = {
    id: newId(),
    email: credentials.email,
    passwordHash,
    role: 'admin' as const,
    registeredName: 'Administrator',
    // The operator vouches for it.
    emailVerifyTime: clock.now(),
  };
  try {
    await uow.run(async ({ audit, accounts, profiles }) => {
      const account = Account.create(values, clock.now());
      accounts.add(account);
      profiles.upsert(account);
      await audit.add({ action: 'first_administrator_created', ...ofAccount(account) });
    });
    logger.info({ accountId: values.id }, 'first administrator created');
  } catch (error) {
    if (!(error instanceof AppError && error.reason === 'EMAIL_TAKEN')) throw error;
    logger.info('first administrator was created by another replica');
  }
}

function report(logger: AuthDeps['logger'], account: Account): void {
  if (account.role === 'admin') logger.info({ accountId: account.id }, 'first administrator exists');
  else logger.warn({ accountId: account.id }, 'configured administrator is an ordinary account and was not promoted');
}
