import type { ListPersonalTokensResponse } from '#contract/auth/v1/auth';
import { listPage, type PageInput } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { foreignTokens, userNotFound } from '../domain/auth.errors.ts';
import { toPersonalTokenMessage } from '../domain/personal-token.columns.ts';

export interface ListPersonalTokensInput extends PageInput {
  /** '' = the caller's. */
  accountId: string;
}

/** Tokens of the caller, or for an administrator of any account, newest first. */
export async function listPersonalTokens(
  { reader, pageTokens }: Pick<AuthDeps, 'reader' | 'pageTokens'>,
  actor: UserActor,
  { accountId, ...page }: ListPersonalTokensInput,
): Promise<ListPersonalTokensResponse> {
  const ownerId = accountId === '' ? actor.userId : accountId;
  if (ownerId !== actor.userId) {
    if (actor.role !== 'admin') throw foreignTokens();
    if ((await reader.findAccount(ownerId)) === undefined) throw userNotFound(ownerId);
  }
  const { rows, nextPageToken } = await listPage(pageTokens, page, {
    scope: { caller: actor.userId, method: 'ListPersonalTokens', filter: ownerId },
    read: (after, limit) =>
      reader.listPersonalTokens(ownerId, after && { createTime: after.time, id: after.id }, limit),
    timeOf: ({ createTime }) => createTime,
  });
  return { personalTokens: rows.map((token) => toPersonalTokenMessage(token)), nextPageToken };
}
