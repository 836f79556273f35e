import type { GetUserResponse } from '#contract/users/v1/users';
import type { UserActor } from '#libs/runtime';
import type { UsersDeps } from '../deps.ts';
import { assertMaySee } from '../domain/access.ts';
import { toUserMessage } from '../domain/profile.columns.ts';
import { userNotFound } from '../domain/users.errors.ts';

export async function getUser(
  { reader, defaults }: Pick<UsersDeps, 'reader' | 'defaults'>,
  actor: UserActor,
  userId: string,
): Promise<GetUserResponse> {
  assertMaySee(actor, userId);
  const profile = await reader.find(userId);
  if (profile === undefined) throw userNotFound(userId);
  return { user: toUserMessage(profile, defaults) };
}
