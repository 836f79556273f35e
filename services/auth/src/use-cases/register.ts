import type { RegisterResponse } from '#contract/auth/v1/auth';
import type { AuthDeps } from '../deps.ts';
import { toAccountMessage } from '../domain/account.columns.ts';
import { Account } from '../domain/account.entity.ts';
import { emailTaken } from '../domain/auth.errors.ts';
import type { ClientInfo } from '../domain/session.columns.ts';
import { prepareSession } from './prepare-session.ts';

export interface RegisterInput {
  email: string;
  password: string;
  displayName: string;
}

/** Creates an account and signs it in: the account, its session and the message to users are one transaction. */
export async function register(deps: AuthDeps, input: RegisterInput, client: ClientInfo): Promise<RegisterResponse> {
  const { uow, reader, passwords, clock, newId, profileDelivery } = deps;
  // Only saves the hashing: the unique index decides.
  if ((await reader.findAccountByEmail(input.email)) !== undefined) throw emailTaken();

  const { email, displayName: registeredName } = input;
  const values = {
    id: newId(),
    email,
    passwordHash: await passwords.hash(input.password),
    role: 'user' as const,
    registeredName,
  };
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
  return { account: toAccountMessage(account), tokens: session.tokens };
}
