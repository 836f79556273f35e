import { AcceptProjectInvitationRequest, AcceptProjectInvitationResponse, JoinState } from '#contract/auth/v1/auth';
import { crashPoint, type UserActor } from '#libs/runtime';
import type { AuthDeps, Repositories } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import { callerEnded } from '../domain/auth.errors.ts';
import { notJoined, projectInvitationInvalid } from '../domain/project-invitation.errors.ts';
import type { ProjectInvitee } from '../domain/project-invitee.entity.ts';
import { endingOf, onceFor, type Change } from './repeatable.ts';

type Needs = Pick<AuthDeps, 'uow' | 'reader' | 'oneTimeTokens' | 'clock' | 'requestFingerprints' | 'joinAttempts'>;

const method = {
  name: 'AcceptProjectInvitation',
  request: AcceptProjectInvitationRequest,
  response: AcceptProjectInvitationResponse,
};

/**
 * Accepts an invitation to a project for the caller. It is accepted for good by the commit; tasks is told behind it, and
 * makes the caller a member or says why not.
 */
export async function acceptProjectInvitation(
  deps: Needs,
  actor: UserActor,
  input: Change<AcceptProjectInvitationRequest>,
): Promise<AcceptProjectInvitationResponse> {
  const { reader, clock, oneTimeTokens, joinAttempts } = deps;
  const found = await reader.findProjectInviteeByToken(oneTimeTokens.hashOf(input.token));
  if (found === undefined) throw projectInvitationInvalid();
  let isNew = false;
  const accepted = await endingOf(deps, input)(
    async (repositories) => {
      const account = await repositories.accounts.lock(actor.userId);
      if (account?.enabled !== true) throw callerEnded();
      const invitee = await repositories.projectInvitees.lock(found.id);
      if (invitee === undefined) throw projectInvitationInvalid();
      isNew = await accept(repositories, { account, invitee }, clock.now());
      crashPoint('accept.before-commit');
      return { projectId: found.projectId, invitationId: found.id, state: JoinState.JOINING };
    },
    onceFor(deps, actor, method, input),
  );
  crashPoint('accept.after-commit');
  if (input.validateOnly) return accepted;
  if (isNew) await joinAttempts.waitFor(found.id);
  return { ...accepted, state: await readState(deps, found.id) };
}

/** The token came by mail, so whoever has it reads the mail of the address. */
async function accept(
  { audit, accountTokens, profiles, projectInvitees }: Repositories,
  { account, invitee }: { account: Account; invitee: ProjectInvitee },
  now: Date,
): Promise<boolean> {
  if (!invitee.accept(account, now)) return false;
  if (account.verifyEmail(now)) {
    await accountTokens.end(account.id, 'email_verification');
    profiles.upsert(account);
  }
  const target = { kind: 'invitation', id: invitee.id } as const;
  await audit.add({ action: 'project_invitation_accepted', target, accountId: account.id });
  projectInvitees.join({ invitationId: invitee.id, accountId: account.id });
  return true;
}

/** Throws when the caller could not join. */
async function readState({ reader }: Pick<Needs, 'reader'>, id: string): Promise<JoinState> {
  const [invitee] = await reader.listProjectInvitees([id]);
  const outcome = invitee?.outcome ?? null;
  if (outcome === null) return JoinState.JOINING;
  if (outcome !== 'joined') throw notJoined(outcome);
  return JoinState.JOINED;
}
