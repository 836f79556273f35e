import type { AuthDeps } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import { credentialsInvalid } from '../domain/auth.errors.ts';
import { prepareSession, type ClientInfo, type Tokens } from './prepare-session.ts';

export interface LoginInput {
  email: string;
  password: string;
}

/** Signs in. An unknown e-mail, a wrong password and a disabled account take the same work and get the same answer. */
export async function login(deps: AuthDeps, input: LoginInput, client: ClientInfo): Promise<{ account: Account; tokens: Tokens }> {
  const { uow, passwords } = deps;
  const account = await uow.run(({ accounts }) => accounts.findByEmail(input.email));
  const matches = await passwords.verify(account?.passwordHash, input.password);
  if (account === undefined || !matches || !account.enabled) throw credentialsInvalid();

  const session = await prepareSession(deps, account, client);
  await uow.run(async ({ accounts, sessions }) => {
    // While the password was being checked the account may have changed; a session must not slip past that change.
    const current = await accounts.findUnchanging(account.id);
    if (current === undefined || !current.allowsWhatWasVerified(account)) throw credentialsInvalid();
    session.addTo(sessions);
  });
  return { account, tokens: session.tokens };
}
