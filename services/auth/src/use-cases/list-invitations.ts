import type { ListInvitationsResponse } from '#contract/auth/v1/auth';
import { listPage, type PageInput } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { toInvitationMessage } from '../domain/invitation.columns.ts';

/** All invitations, newest first. */
export async function listInvitations(
  { reader, pageTokens }: Pick<AuthDeps, 'reader' | 'pageTokens'>,
  actor: UserActor,
  input: PageInput,
): Promise<ListInvitationsResponse> {
  const { rows, nextPageToken } = await listPage(pageTokens, input, {
    scope: { caller: actor.userId, method: 'ListInvitations', filter: null },
    read: (after, limit) => reader.listInvitations(after && { createTime: after.time, id: after.id }, limit),
    timeOf: ({ createTime }) => createTime,
  });
  return { invitations: rows.map((invitation) => toInvitationMessage(invitation)), nextPageToken };
}
