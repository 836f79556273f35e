import type { RegisterResponse } from '#contract/auth/v1/auth';
import type { AuditTrail } from '#libs/audit';
import type { AuthDeps, Repositories } from '../deps.ts';
import { toAccountMessage, type NewAccount } from '../domain/account.columns.ts';
import { Account } from '../domain/account.entity.ts';
import { emailTaken, invitationInvalid, registrationClosed } from '../domain/auth.errors.ts';
import type { AcceptedInvitation, Admission } from '../domain/invitation.repository.ts';
import type { ClientInfo } from '../domain/session.columns.ts';
import { ofAccount } from './audited.ts';
import { mailToken } from './mail-token.ts';
import { makeAccountToken } from './make-account-token.ts';
import { prepareAccount } from './prepare-account.ts';
import { prepareSession } from './prepare-session.ts';

type RegisterAdmission = Admission & { toProject: boolean };

export interface RegisterInput {
  email: string;
  password: string;
  displayName: string;
  /** '' = without an invitation. */
  invitationToken: string;
}

/**
 * Creates an account and signs it in: the account, its session, the acceptance of its invitation, the mail that verifies
 * its e-mail and the message to users are one transaction.
 */
export async function register(deps: AuthDeps, input: RegisterInput, client: ClientInfo): Promise<RegisterResponse> {
  const { uow, reader, clock, profileDelivery, settings } = deps;
  const admission = admissionOf(deps, input);
  // These two only save the hashing: the transaction and its unique index decide. The invitation comes first, since
  // nobody else may learn whether the e-mail has an account.
  if (admission !== undefined && !(await reader.isInvited(admission, clock.now()))) throw invitationInvalid();
  if ((await reader.findAccountByEmail(input.email)) !== undefined) throw emailTaken();

  const values = await prepareAccount(deps, { ...input, role: 'user' });
  const session = await prepareSession(deps, values, client);
  const addAccount = accountMaker(deps, values);
  const now = clock.now();
  const account = await uow.run(async (repositories) => {
    const accepted = admission === undefined ? undefined : await accept(repositories, admission, now);
    const created = await addAccount(repositories, { cameByMail: accepted?.cameByMail === true, now });
    await recordRegistration(repositories.audit, created, accepted?.id);
    if (created.maySignIn(settings.recovery)) await session.addTo(repositories);
    repositories.profiles.upsert(created);
    accepted?.join(created);
    return created;
  });
  await profileDelivery.waitForFirstAttempt(account.id);
  const tokens = account.maySignIn(settings.recovery) ? session.tokens : undefined;
  return { account: toAccountMessage(account), tokens };
}

interface Accepted extends AcceptedInvitation {
  /** Has the new account join the project that it was invited to. */
  join(account: Account): void;
}

/** Throws INVITATION_INVALID unless the invitation admits the e-mail. */
async function accept(
  { invitations, projectInvitees }: Repositories,
  { toProject, ...admission }: RegisterAdmission,
  now: Date,
): Promise<Accepted> {
  if (!toProject) {
    const accepted = await invitations.accept(admission, now);
    if (accepted === undefined) throw invitationInvalid();
    return { ...accepted, join: () => undefined };
  }
  const invitee = await projectInvitees.lockAdmitted(admission, now);
  if (invitee === undefined) throw invitationInvalid();
  const { id } = invitee;
  const join = (account: Account): void => {
    invitee.accept(account, now);
    projectInvitees.join({ invitationId: id, accountId: account.id });
  };
  return { id, cameByMail: true, join };
}

/** The registration names its invitation, and an event about the invitation names the account that came of it. */
async function recordRegistration(
  audit: AuditTrail,
  account: Account,
  invitationId: string | undefined,
): Promise<void> {
  const origin = invitationId === undefined ? {} : { details: { invitation: invitationId } };
  await audit.add({ action: 'registered', ...ofAccount(account), ...origin });
  if (invitationId === undefined) return;
  const target = { kind: 'invitation', id: invitationId } as const;
  await audit.add({ action: 'invitation_accepted', target, accountId: account.id });
}

/** Undefined where everybody may register and no invitation came. Throws where one is needed. */
function admissionOf(
  { settings, oneTimeTokens }: Pick<AuthDeps, 'settings' | 'oneTimeTokens'>,
  { email, invitationToken }: RegisterInput,
): RegisterAdmission | undefined {
  const toProject = oneTimeTokens.isOf('projectInvitation', invitationToken);
  // Managers of projects do not decide who may register.
  if ((invitationToken === '' || toProject) && settings.registration !== 'open') throw registrationClosed();
  return invitationToken === '' ? undefined : { tokenHash: oneTimeTokens.hashOf(invitationToken), email, toProject };
}

/** Adds the account: verified when its invitation came by mail, else with a mail that verifies it. */
function accountMaker(deps: AuthDeps, values: NewAccount) {
  const { sendsMail, mailsPerHour } = deps.settings.recovery;
  const mailId = deps.newId();
  const verification = makeAccountToken(deps, 'email_verification');
  return async (
    repositories: Repositories,
    { cameByMail, now }: { cameByMail: boolean; now: Date },
  ): Promise<Account> => {
    const account = Account.create({ ...values, emailVerifyTime: cameByMail ? now : null }, now);
    repositories.accounts.add(account);
    if (sendsMail && !cameByMail)
      await mailToken(repositories, verification.valuesFor(account, { mailed: true }), {
        mailId,
        mailsPerHour,
        isNew: true,
      });
    return account;
  };
}
