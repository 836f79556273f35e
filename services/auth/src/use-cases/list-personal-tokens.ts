import type { ListPersonalTokensResponse } from '#contract/auth/v1/auth';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { foreignTokens, userNotFound } from '../domain/auth.errors.ts';
import { toPersonalTokenMessage } from '../domain/personal-token.columns.ts';

export interface ListPersonalTokensInput {
  pageSize: number;
  pageToken: string;
  /** '' = the caller's. */
  accountId: string;
}

/** Tokens of the caller, or for an administrator of any account, newest first. */
export async function listPersonalTokens(
  { reader, pageTokens }: Pick<AuthDeps, 'reader' | 'pageTokens'>,
  actor: UserActor,
  { pageSize, pageToken, accountId }: ListPersonalTokensInput,
): Promise<ListPersonalTokensResponse> {
  const ownerId = accountId === '' ? actor.userId : accountId;
  if (ownerId !== actor.userId) {
    if (actor.role !== 'admin') throw foreignTokens();
    if ((await reader.findAccount(ownerId)) === undefined) throw userNotFound(ownerId);
  }
  const scope = { caller: actor.userId, method: 'ListPersonalTokens', filter: ownerId };
  const position = pageTokens.open<[number, string]>(pageToken, scope);
  const after = position && { createTime: new Date(position[0]), id: position[1] };
  // One row more than the page shows whether another page follows.
  const found = await reader.listPersonalTokens(ownerId, after, pageSize + 1);
  const personalTokens = found.slice(0, pageSize);
  const last = personalTokens.at(-1);
  const hasMore = found.length > pageSize && last !== undefined;
  return {
    personalTokens: personalTokens.map((token) => toPersonalTokenMessage(token)),
    nextPageToken: hasMore ? pageTokens.seal([last.createTime.getTime(), last.id], scope) : '',
  };
}
