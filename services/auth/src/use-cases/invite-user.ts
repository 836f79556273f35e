import { InviteUserRequest, InviteUserResponse } from '#contract/auth/v1/auth';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { emailTaken, invitationInvalid, registrationClosed } from '../domain/auth.errors.ts';
import { newInvitation, toInvitationMessage } from '../domain/invitation.columns.ts';
import { newTokenMail } from '../domain/mail.columns.ts';
import { recordingHash } from './recording-hash.ts';
import { endingOf, onceFor, type Change } from './repeatable.ts';

type Deps = Pick<AuthDeps, 'uow' | 'clock' | 'newId' | 'oneTimeTokens' | 'settings' | 'requestFingerprints'>;

/**
 * Invites an e-mail. What is stored of its tokens is their hashes: one is in the answer, and where mail is sent, the
 * other is mailed.
 */
export async function inviteUser(
  deps: Deps,
  actor: UserActor,
  input: Change<InviteUserRequest>,
): Promise<InviteUserResponse> {
  const { clock, newId, settings } = deps;
  if (settings.registration === 'closed') throw registrationClosed();
  const { email } = input;
  const id = newId();
  const mailId = newId();
  const { token, hashes } = makeTokens(deps, id);
  const values = { id, email, inviterId: actor.userId, ...hashes };
  return endingOf(deps, input)(
    async ({ audit, accounts, invitations, mails }) => {
      if (await accounts.hasEmail(email)) throw emailTaken();
      const invitation = newInvitation(values, clock.now(), settings.invitationLifetimeMs);
      await invitations.replaceOpen(invitation);
      await audit.add({ action: 'user_invited', target: { kind: 'invitation', id } });
      if (invitation.mailTokenHash !== null)
        mails.send(newTokenMail({ id: mailId, accountId: null, kind: 'invitation' }, invitation));
      return { invitation: toInvitationMessage(invitation), token };
    },
    onceFor(deps, actor, methodOf(deps), input),
  );
}

function makeTokens({ oneTimeTokens, settings }: Pick<AuthDeps, 'oneTimeTokens' | 'settings'>, id: string) {
  const token = oneTimeTokens.create('invitation', id);
  const mailed = settings.recovery.sendsMail ? oneTimeTokens.create('mailedInvitation', id) : undefined;
  const mailTokenHash = mailed === undefined ? null : oneTimeTokens.hashOf(mailed);
  return { token, hashes: { tokenHash: oneTimeTokens.hashOf(token), mailTokenHash } };
}

function methodOf(deps: Pick<AuthDeps, 'oneTimeTokens'>) {
  const response = recordingHash(deps, InviteUserResponse, {
    kind: 'invitation',
    idOf: ({ invitation }) => invitation?.id ?? '',
    lost: invitationInvalid,
  });
  return { name: 'InviteUser', request: InviteUserRequest, response };
}
