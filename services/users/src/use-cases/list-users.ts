import type { ListUsersResponse } from '#contract/users/v1/users';
import type { UserActor } from '#libs/runtime';
import type { UsersDeps } from '../deps.ts';
import { toUserMessage } from '../domain/profile.columns.ts';

export interface ListUsersInput {
  pageSize: number;
  pageToken: string;
  /** '' = everybody. */
  query: string;
}

/**
 * All profiles, or those found by a search, newest first; pages neither lose nor repeat a profile that exists the whole
 * time.
 */
export async function listUsers(
  { reader, pageTokens }: Pick<UsersDeps, 'reader' | 'pageTokens'>,
  actor: UserActor,
  { pageSize, pageToken, query }: ListUsersInput,
): Promise<ListUsersResponse> {
  const scope = { caller: actor.userId, method: 'ListUsers', filter: { query } };
  const position = pageTokens.open<[number, string]>(pageToken, scope);
  const after = position && { createTime: new Date(position[0]), id: position[1] };
  // One row more than the page shows whether another page follows.
  const rows = await (query === '' ? reader.list(after, pageSize + 1) : reader.search(query, after, pageSize + 1));
  const users = rows.slice(0, pageSize);
  const last = users.at(-1);
  const hasMore = rows.length > pageSize && last !== undefined;
  return {
    users: users.map((user) => toUserMessage(user)),
    nextPageToken: hasMore ? pageTokens.seal([last.createTime.getTime(), last.id], scope) : '',
  };
}
