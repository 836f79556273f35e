import type { ListInvitationsResponse } from '#contract/auth/v1/auth';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { toInvitationMessage } from '../domain/invitation.columns.ts';

export interface ListInvitationsInput {
  pageSize: number;
  pageToken: string;
}

/** All invitations, newest first. */
export async function listInvitations(
  { reader, pageTokens }: Pick<AuthDeps, 'reader' | 'pageTokens'>,
  actor: UserActor,
  { pageSize, pageToken }: ListInvitationsInput,
): Promise<ListInvitationsResponse> {
  const scope = { caller: actor.userId, method: 'ListInvitations', filter: null };
  const position = pageTokens.open<[number, string]>(pageToken, scope);
  const after = position && { createTime: new Date(position[0]), id: position[1] };
  // One row more than the page shows whether another page follows.
  const found = await reader.listInvitations(after, pageSize + 1);
  const invitations = found.slice(0, pageSize);
  const last = invitations.at(-1);
  const hasMore = found.length > pageSize && last !== undefined;
  return {
    invitations: invitations.map((invitation) => toInvitationMessage(invitation)),
    nextPageToken: hasMore ? pageTokens.seal([last.createTime.getTime(), last.id], scope) : '',
  };
}
