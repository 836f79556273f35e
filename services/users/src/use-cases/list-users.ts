import type { UserActor } from '#libs/runtime';
import type { UsersDeps } from '../deps.ts';
import type { ProfilePosition, ProfileView } from '../domain/profile.repository.ts';

export interface ListUsersInput {
  pageSize: number;
  pageToken: string;
  /** '' = everybody. */
  query: string;
}

/** All profiles, or those found by a search, newest first; pages neither lose nor repeat a profile that exists the whole time. */
export async function listUsers(
  { reader, pageTokens }: Pick<UsersDeps, 'reader' | 'pageTokens'>,
  actor: UserActor,
  { pageSize, pageToken, query }: ListUsersInput,
): Promise<{ users: ProfileView[]; nextPageToken: string }> {
  const scope = { caller: actor.userId, method: 'ListUsers', filter: { query } };
  const position = pageTokens.open<[number, string]>(pageToken, scope);
  const after = position && toPosition(position);
  // One more than the page tells whether another page follows.
  const rows = await (query === '' ? reader.list(after, pageSize + 1) : reader.search(query, after, pageSize + 1));
  const users = rows.slice(0, pageSize);
  const last = users.at(-1);
  const hasMore = rows.length > pageSize && last !== undefined;
  return { users, nextPageToken: hasMore ? pageTokens.seal([last.createTime.getTime(), last.id], scope) : '' };
}

function toPosition([createTime, id]: [number, string]): ProfilePosition {
  return { createTime: new Date(createTime), id };
}
