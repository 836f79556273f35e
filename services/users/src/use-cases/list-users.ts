import type { ListUsersResponse } from '#contract/users/v1/users';
import type { UserActor } from '#libs/runtime';
import type { UsersDeps } from '../deps.ts';
import { toUserMessage } from '../domain/profile.columns.ts';
import type { ProfileFilter } from '../domain/profile.repository.ts';

export interface ListUsersInput {
  pageSize: number;
  pageToken: string;
  /** '' = everybody. */
  query: string;
  filter: ProfileFilter;
}

/**
 * All profiles, or those that a search and a filter leave, newest first; pages neither lose nor repeat a profile that
 * exists and stays as it is the whole time.
 */
export async function listUsers(
  { reader, pageTokens, defaults }: Pick<UsersDeps, 'reader' | 'pageTokens' | 'defaults'>,
  actor: UserActor,
  { pageSize, pageToken, query, filter }: ListUsersInput,
): Promise<ListUsersResponse> {
  const scope = { caller: actor.userId, method: 'ListUsers', filter: { query, ...filter } };
  const position = pageTokens.open<[number, string]>(pageToken, scope);
  const after = position && { createTime: new Date(position[0]), id: position[1] };
  // One row more than the page shows whether another page follows.
  const limit = pageSize + 1;
  const rows = await (query === '' ? reader.list(filter, after, limit) : reader.search(query, filter, after, limit));
  const users = rows.slice(0, pageSize);
  const last = users.at(-1);
  const hasMore = rows.length > pageSize && last !== undefined;
  return {
    users: users.map((user) => toUserMessage(user, defaults)),
    nextPageToken: hasMore ? pageTokens.seal([last.createTime.getTime(), last.id], scope) : '',
  };
}
