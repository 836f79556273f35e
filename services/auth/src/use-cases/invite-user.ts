import { InviteUserRequest, InviteUserResponse } from '#contract/auth/v1/auth';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { emailTaken, invitationInvalid, registrationClosed } from '../domain/auth.errors.ts';
import { newInvitation, toInvitationMessage } from '../domain/invitation.columns.ts';
import { endingOf, onceFor, type Change } from './repeatable.ts';

type Deps = Pick<AuthDeps, 'uow' | 'clock' | 'newId' | 'invitationTokens' | 'settings' | 'requestFingerprints'>;

/** Invites an e-mail. The token is in the answer and nowhere else: what is stored is its hash. */
export async function inviteUser(
  deps: Deps,
  actor: UserActor,
  input: Change<InviteUserRequest>,
): Promise<InviteUserResponse> {
  const { clock, newId, invitationTokens, settings } = deps;
  if (settings.registration === 'closed') throw registrationClosed();
  const { email } = input;
  const id = newId();
  const token = invitationTokens.create(id);
  const values = { id, email, tokenHash: invitationTokens.hashOf(token), inviterId: actor.userId };
  return endingOf(deps, input)(
    async ({ audit, accounts, invitations }) => {
      if (await accounts.hasEmail(email)) throw emailTaken();
      const invitation = newInvitation(values, clock.now(), settings.invitationLifetimeMs);
      await invitations.replaceOpen(invitation);
      await audit.add({ action: 'user_invited', target: { kind: 'invitation', id } });
      return { invitation: toInvitationMessage(invitation), token };
    },
    onceFor(deps, actor, methodOf(deps), input),
  );
}

/** The recorded answer holds the token's hash in place of the token. */
function methodOf({ invitationTokens }: Pick<AuthDeps, 'invitationTokens'>) {
  const response = {
    encode: (answer: InviteUserResponse) =>
      InviteUserResponse.encode({ ...answer, token: invitationTokens.hashOf(answer.token) }),
    decode: (bytes: Uint8Array): InviteUserResponse => {
      const recorded = InviteUserResponse.decode(bytes);
      const token = invitationTokens.recover(recorded.invitation?.id ?? '', recorded.token);
      // The key that it was derived by is gone.
      if (token === undefined) throw invitationInvalid();
      return { ...recorded, token };
    },
  };
  return { name: 'InviteUser', request: InviteUserRequest, response };
}
