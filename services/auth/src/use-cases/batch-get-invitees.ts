import type { BatchGetInviteesResponse } from '#contract/auth/v1/auth';
import type { AuthDeps } from '../deps.ts';
import { toProjectInviteeMessage } from '../domain/project-invitee.columns.ts';

/** Whom invitations to projects were sent to. */
export async function batchGetInvitees(
  { reader }: Pick<AuthDeps, 'reader'>,
  { invitationIds }: { invitationIds: readonly string[] },
): Promise<BatchGetInviteesResponse> {
  const invitees = await reader.listProjectInvitees(invitationIds);
  return { invitees: invitees.map((invitee) => toProjectInviteeMessage(invitee)) };
}
