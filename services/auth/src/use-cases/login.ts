import type { LoginResponse } from '#contract/auth/v1/auth';
import type { AppError } from '#libs/errors';
import { toMailbox } from '#libs/text';
import type { AuthDeps } from '../deps.ts';
import { toAccountMessage } from '../domain/account.columns.ts';
import type { Account } from '../domain/account.entity.ts';
import { credentialsInvalid, emailUnverified } from '../domain/auth.errors.ts';
import { accountDeleted } from '../domain/deletion.errors.ts';
import type { ClientInfo } from '../domain/session.columns.ts';
import { ofAccount } from './audited.ts';
import { prepareSession } from './prepare-session.ts';

export interface LoginInput {
  email: string;
  password: string;
}

/** Signs in. An unknown e-mail, a wrong password and a disabled account take the same work and get the same answer. */
export async function login(deps: AuthDeps, input: LoginInput, client: ClientInfo): Promise<LoginResponse> {
  return deps.passwordGuard.guard(`email:${toMailbox(input.email)}`, () => signIn(deps, input, client));
}

/** An unknown e-mail costs the same record as a known one. */
async function refuse({ audit }: Pick<AuthDeps, 'audit'>, error: AppError, account?: Account): Promise<never> {
  const subject = account === undefined ? {} : ofAccount(account);
  await audit.record({ action: 'signed_in', refusal: error.reason, ...subject });
  throw error;
}

/** Why an account whose password was right is not signed in; undefined: it is. */
function refusalOf(account: Account, { settings, clock }: Pick<AuthDeps, 'settings' | 'clock'>): AppError | undefined {
  if (!account.enabled)
    return account.isReclaimable(clock.now()) ? accountDeleted(account.purgeTime) : credentialsInvalid();
  return account.maySignIn(settings.recovery) ? undefined : emailUnverified();
}

async function signIn(deps: AuthDeps, input: LoginInput, client: ClientInfo): Promise<LoginResponse> {
  const { uow, reader, passwords } = deps;
  const account = await reader.findAccountByEmail(input.email);
  const { matches, isOutdated } = await passwords.verify(account?.passwordHash, input.password);
  if (account === undefined || !matches) return refuse(deps, credentialsInvalid(), account);
  const refusal = refusalOf(account, deps);
  if (refusal !== undefined) return refuse(deps, refusal, account);

  // The password is known only during a sign-in. If hashing is overloaded, the next sign-in renews the hash.
  const newHash = isOutdated ? await passwords.hash(input.password).catch(() => undefined) : undefined;
  for (let current = account; ;) {
    const session = await prepareSession(deps, current, client);
    const latest = await uow.run(async (repositories) => {
      const { accounts } = repositories;
      const found = newHash === undefined ? await accounts.findUnchanging(account.id) : await accounts.lock(account.id);
      // While the password was being checked the account may have changed; a session must not slip past that change.
      if (found === undefined || !found.hasPasswordOf(account)) throw credentialsInvalid();
      if (newHash !== undefined) found.rehashPassword(newHash);
      if (found.givesTokensOf(current)) await session.addTo(repositories);
      return found;
    });
    if (latest.givesTokensOf(current)) return { account: toAccountMessage(latest), tokens: session.tokens };
    current = latest;
  }
}
