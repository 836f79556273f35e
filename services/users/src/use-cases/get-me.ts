import type { UserActor } from '#libs/runtime';
import type { UsersDeps } from '../deps.ts';
import type { ProfileView } from '../domain/profile.repository.ts';
import { profileNotReady } from '../domain/users.errors.ts';

export async function getMe({ reader }: Pick<UsersDeps, 'reader'>, actor: UserActor): Promise<ProfileView> {
  const profile = await reader.find(actor.userId);
  if (profile === undefined) throw profileNotReady();
  return profile;
}
