import type { AuthDeps } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import { credentialsInvalid } from '../domain/auth.errors.ts';
import type { ClientInfo } from '../domain/session.entity.ts';
import { prepareSession, type Tokens } from './prepare-session.ts';

export interface LoginInput {
  email: string;
  password: string;
}

interface SignedIn {
  account: Account;
  tokens: Tokens;
}

/** Signs in. An unknown e-mail, a wrong password and a disabled account take the same work and get the same answer. */
export async function login(deps: AuthDeps, input: LoginInput, client: ClientInfo): Promise<SignedIn> {
  return deps.passwordGuard.guard(`email:${input.email}`, () => signIn(deps, input, client));
}

async function signIn(deps: AuthDeps, input: LoginInput, client: ClientInfo): Promise<SignedIn> {
  const { uow, passwords } = deps;
  const account = await uow.run(({ accounts }) => accounts.findByEmail(input.email));
  const matches = await passwords.verify(account?.passwordHash, input.password);
  if (account === undefined || !matches || !account.enabled) throw credentialsInvalid();

  const newHash = await rehashIfOutdated(deps, account, input.password);
  for (let current = account; ; ) {
    const session = await prepareSession(deps, current, client);
    const latest = await uow.run(async ({ accounts, sessions }) => {
      const found = newHash === undefined ? await accounts.findUnchanging(account.id) : await accounts.lock(account.id);
      // While the password was being checked the account may have changed; a session must not slip past that change.
      if (found === undefined || !found.hasPasswordOf(account)) throw credentialsInvalid();
      if (newHash !== undefined) found.rehashPassword(newHash);
      if (found.givesTokensOf(current)) session.addTo(sessions);
      return found;
    });
    if (latest.givesTokensOf(current)) return { account: latest, tokens: session.tokens };
    current = latest;
  }
}

/** The password is known only now. When there is no time for it, the next sign-in will do. */
async function rehashIfOutdated({ passwords }: Pick<AuthDeps, 'passwords'>, account: Account, password: string): Promise<string | undefined> {
  if (!passwords.isOutdated(account.passwordHash)) return undefined;
  return passwords.hash(password).catch(() => undefined);
}
