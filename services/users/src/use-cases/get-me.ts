import type { GetMeResponse } from '#contract/users/v1/users';
import type { UserActor } from '#libs/runtime';
import type { UsersDeps } from '../deps.ts';
import { toUserMessage } from '../domain/profile.columns.ts';
import { profileNotReady } from '../domain/users.errors.ts';

export async function getMe(
  { reader, defaults }: Pick<UsersDeps, 'reader' | 'defaults'>,
  actor: UserActor,
): Promise<GetMeResponse> {
  const profile = await reader.find(actor.userId);
  if (profile === undefined) throw profileNotReady();
  return { user: toUserMessage(profile, defaults) };
}
