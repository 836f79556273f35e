import type { UserActor } from '#libs/runtime';
import type { UsersDeps } from '../deps.ts';
import { assertMaySee } from '../domain/access.ts';
import type { Profile, ProfileChange } from '../domain/profile.entity.ts';
import { etagMismatch, userNotFound } from '../domain/users.errors.ts';

export interface UpdateUserInput {
  userId: string;
  /** '' = whatever the current one is. */
  etag: string;
  change: ProfileChange;
}

export async function updateUser({ uow, clock }: Pick<UsersDeps, 'uow' | 'clock'>, actor: UserActor, input: UpdateUserInput): Promise<Profile> {
  assertMaySee(actor, input.userId);
  return uow.run(async ({ profiles }) => {
    const profile = await profiles.lock(input.userId);
    if (profile === undefined) throw userNotFound(input.userId);
    if (input.etag !== '' && input.etag !== profile.etag) throw etagMismatch(input.userId);
    profile.change(input.change, clock.now());
    return profile;
  });
}
