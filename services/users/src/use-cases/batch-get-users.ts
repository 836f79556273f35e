import type { UsersDeps } from '../deps.ts';
import type { UserSummary } from '../domain/profile.repository.ts';

/** The known ones among the ids, and the unknown ones, each once and in the order of the request. */
export async function batchGetUsers(
  { reader }: Pick<UsersDeps, 'reader'>,
  userIds: readonly string[],
): Promise<{ users: UserSummary[]; unknownUserIds: string[] }> {
  const ids = [...new Set(userIds)];
  const found = new Map((await reader.listSummaries(ids)).map((user) => [user.id, user]));
  return {
    users: ids.flatMap((id) => found.get(id) ?? []),
    unknownUserIds: ids.filter((id) => !found.has(id)),
  };
}
