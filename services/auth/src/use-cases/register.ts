import type { RegisterResponse } from '#contract/auth/v1/auth';
import type { AuthDeps } from '../deps.ts';
import { toAccountMessage } from '../domain/account.columns.ts';
import { Account } from '../domain/account.entity.ts';
import { emailTaken, invitationInvalid, registrationClosed } from '../domain/auth.errors.ts';
import type { Admission } from '../domain/invitation.repository.ts';
import type { ClientInfo } from '../domain/session.columns.ts';
import { ofAccount } from './audited.ts';
import { prepareSession } from './prepare-session.ts';

export interface RegisterInput {
  email: string;
  password: string;
  displayName: string;
  /** '' = without an invitation. */
  invitationToken: string;
}

/**
 * Creates an account and signs it in: the account, its session, the acceptance of its invitation and the message to users
 * are one transaction.
 */
export async function register(deps: AuthDeps, input: RegisterInput, client: ClientInfo): Promise<RegisterResponse> {
  const { uow, reader, passwords, clock, newId, profileDelivery } = deps;
  const admission = admissionOf(deps, input);
  // These two only save the hashing: the transaction and its unique index decide. The invitation comes first, since
  // nobody else may learn whether the e-mail has an account.
  if (admission !== undefined && !(await reader.isInvited(admission, clock.now()))) throw invitationInvalid();
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
  const account = await uow.run(async (repositories) => {
    const { audit, accounts, invitations, profiles } = repositories;
    if (admission !== undefined && !(await invitations.accept(admission, now))) throw invitationInvalid();
    const created = Account.create(values, now);
    accounts.add(created);
    await audit.add({ action: 'registered', ...ofAccount(created) });
    await session.addTo(repositories);
    profiles.upsert(created);
    return created;
  });
  await profileDelivery.waitForFirstAttempt(account.id);
  return { account: toAccountMessage(account), tokens: session.tokens };
}

/** Undefined where everybody may register and no invitation came. Throws where one is needed. */
function admissionOf(
  { settings, invitationTokens }: Pick<AuthDeps, 'settings' | 'invitationTokens'>,
  { email, invitationToken }: RegisterInput,
): Admission | undefined {
  if (invitationToken !== '') return { tokenHash: invitationTokens.hashOf(invitationToken), email };
  if (settings.registration !== 'open') throw registrationClosed();
  return undefined;
}
