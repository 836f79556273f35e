import type { AuthDeps } from '../deps.ts';
import { Account } from '../domain/account.entity.ts';
import { emailTaken } from '../domain/auth.errors.ts';
import type { ClientInfo } from '../domain/session.entity.ts';
import { prepareSession, type Tokens } from './prepare-session.ts';

export interface RegisterInput {
  email: string;
  password: string;
  displayName: string;
}

/** Creates an account and signs it in: the account, its session and the message to users are one transaction. */
export async function register(deps: AuthDeps, input: RegisterInput, client: ClientInfo): Promise<{ account: Account; tokens: Tokens }> {
  const { uow, passwords, clock, newId, profileDelivery } = deps;
  // Only spares the hashing; the unique index decides.
  if (await uow.run(({ accounts }) => accounts.isEmailTaken(input.email))) throw emailTaken();

  const { email, displayName: registeredName } = input;
  const values = { id: newId(), email, passwordHash: await passwords.hash(input.password), role: 'user' as const, registeredName };
  const session = await prepareSession(deps, values, client);
  const now = clock.now();
  const account = await uow.run(async ({ accounts, sessions, profiles }) => {
    const created = Account.create(values, now);
    accounts.add(created);
    session.addTo(sessions);
    profiles.upsert(created);
    return created;
  });
  await profileDelivery.waitForFirstAttempt(account.id);
  return { account, tokens: session.tokens };
}
