import type { ListUsersResponse } from '#contract/users/v1/users';
import { listPage, type PageInput } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { UsersDeps } from '../deps.ts';
import { toUserMessage } from '../domain/profile.columns.ts';
import type { ProfileFilter } from '../domain/profile.repository.ts';

export interface ListUsersInput extends PageInput {
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
  { query, filter, ...page }: ListUsersInput,
): Promise<ListUsersResponse> {
  const { rows, nextPageToken } = await listPage(pageTokens, page, {
    scope: { caller: actor.userId, method: 'ListUsers', filter: { query, ...filter } },
    read: (last, limit) => {
      const after = last && { createTime: last.time, id: last.id };
      return query === '' ? reader.list(filter, after, limit) : reader.search(query, filter, after, limit);
    },
    timeOf: ({ createTime }) => createTime,
  });
  return { users: rows.map((user) => toUserMessage(user, defaults)), nextPageToken };
}
