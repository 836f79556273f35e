import type { UserActor } from '#libs/runtime';
import type { UsersDeps } from '../deps.ts';
import { assertMaySee } from '../domain/access.ts';
import type { ProfileView } from '../domain/profile.repository.ts';
import { userNotFound } from '../domain/users.errors.ts';

export async function getUser({ reader }: Pick<UsersDeps, 'reader'>, actor: UserActor, userId: string): Promise<ProfileView> {
  assertMaySee(actor, userId);
  const profile = await reader.find(userId);
  if (profile === undefined) throw userNotFound(userId);
  return profile;
}
